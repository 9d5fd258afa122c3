import type { SiteSummary } from '../../extension/core/protocol/webview';
import { t } from './l10n';

const DIRECTIONS: Record<SiteSummary['direction'], string> = { causal: t('causal'), bidirectional: t('bidirectional'), circular: t('circular') };
const STORAGES: Record<SiteSummary['storage'], string> = { explicit: t('explicit'), implicit: t('implicit'), modal: t('modal') };

export const directionName = (direction: SiteSummary['direction']): string => DIRECTIONS[direction];
export const storageName = (storage: SiteSummary['storage']): string => STORAGES[storage];
