import { UserError } from '../../errors';
import { float16ToFloat32, float32ToBfloat16, float32ToFloat16, bfloat16ToFloat32 } from '../../formats/float16';

/** Writes numbers into a tensor's bytes in its own type, and measures what the type rounds away. */
export class TensorEditor {
  private readonly view: DataView;
  private readonly width: number;
  private error = 0;
  private norm = 0;

  /** Throws UserError for types that hold no filter. */
  constructor(private readonly type: number, readonly bytes: Uint8Array) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const width = { 1: 4, 10: 2, 11: 8, 16: 2 }[type];
    if (width === undefined) throw new UserError(`A filter cannot be written back as element type ${type}.`, 'Filters are float32, float64, float16 or bfloat16.');
    this.width = width;
  }

  get(index: number): number {
    const at = index * this.width;
    switch (this.type) {
      case 1: return this.view.getFloat32(at, true);
      case 11: return this.view.getFloat64(at, true);
      case 10: return float16ToFloat32(this.view.getUint16(at, true));
      default: return bfloat16ToFloat32(this.view.getUint16(at, true));
    }
  }

  /** Elements that hold the value already, to float32, keep their bits. */
  set(index: number, value: number): void {
    const at = index * this.width;
    if (!Object.is(Math.fround(this.get(index)), Math.fround(value))) {
      switch (this.type) {
        case 1: this.view.setFloat32(at, value, true); break;
        case 11: this.view.setFloat64(at, value, true); break;
        case 10: this.view.setUint16(at, float32ToFloat16(value), true); break;
        default: this.view.setUint16(at, float32ToBfloat16(value), true);
      }
    }
    this.error += (this.get(index) - value) ** 2;
    this.norm += value ** 2;
  }

  /** ||written - wanted|| / ||wanted|| over everything set. */
  get roundingError(): number {
    return this.norm === 0 ? 0 : Math.sqrt(this.error / this.norm);
  }
}

