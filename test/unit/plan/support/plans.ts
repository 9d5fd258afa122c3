import type { ChannelMask, FrequencyPattern, Symmetry, SurgeryPlan } from '../../../../extension/core/plan/plan';

export const GRID = { fftSize: 2048, factors: [16, 16, 8], taps: 1024 };
export const FINGERPRINT = `sha256:${'0123456789abcdef'.repeat(4)}`;

export const frequency = (keep: FrequencyPattern, symmetry: Symmetry = 'conjugate'): ChannelMask['frequency'] => ({ grid: GRID, symmetry, keep });

export const plan = (...masks: ChannelMask[]): SurgeryPlan => ({
  version: 1,
  model: { path: 'model.safetensors', family: 'hyenadna', fingerprint: FINGERPRINT, options: { shift: 0.05 } },
  sites: [{ site: 'layers.0.mixer', masks }],
});
