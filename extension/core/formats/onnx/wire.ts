import type { RefuseOnnx } from './refusal';

/** Wire types of the protocol-buffer encoding that ONNX files use. */
export const enum Wire { Varint = 0, Fixed64 = 1, Bytes = 2, Fixed32 = 5 }

/** One field of a message: where it lies in the file. All offsets are bytes from the file's start. */
export interface Field {
  readonly number: number;
  readonly wire: Wire;
  /** Of the field's tag. */
  readonly start: number;
  /** Of the length of a Bytes field, else of the value. */
  readonly lengthAt: number;
  /** [valueStart, end): the value; of a Bytes field, what follows the length. */
  readonly valueStart: number;
  readonly end: number;
  /** Value of a Varint field as int64; rounded beyond 2^53. */
  readonly varint: number;
}

/** Random access to bytes: a file, or a message in memory. */
export interface ByteSource {
  readonly size: number;
  byte(offset: number): number;
  /** A copy of [start, end). */
  bytes(start: number, end: number): Buffer;
  /** [start, end) as UTF-8; what is no valid character is replaced. */
  text(start: number, end: number): string;
}

/** Structural fields of one file that are read at most: the largest models have a few million, hostile files any number. */
const MOST_FIELDS = 1 << 22;
const TWO_32 = 2 ** 32;

/** Reads messages field by field, jumping over payloads. */
export class WireReader {
  private fieldsRead = 0;

  constructor(readonly file: ByteSource, readonly refuse: RefuseOnnx) {}

  /** The fields of the message [start, end). Refuses what is not a valid encoding. */
  *fields(start: number, end: number): Generator<Field> {
    let at = start;
    while (at < end) {
      if (++this.fieldsRead > MOST_FIELDS) this.refuse('TooManyFields', at, `the model has more than ${MOST_FIELDS} fields`, 'No exporter writes such files.');
      const tagAt = at;
      const tag = this.varint(at, end);
      at = tag.end;
      const wire = tag.value % 8;
      const number = Math.floor(tag.value / 8);
      if (number < 1 || tag.value >= TWO_32) this.refuse('InvalidTag', tagAt, 'a field has a number that does not exist');
      let field: Field;
      if (wire === Wire.Varint) {
        const { signed, end: after } = this.varint(at, end);
        field = { number, wire, start: tagAt, lengthAt: at, valueStart: at, end: after, varint: signed };
      } else if (wire === Wire.Bytes) {
        const length = this.varint(at, end);
        const left = end - length.end;
        if (length.value > left) {
          const what = `a field of ${length.value} bytes is announced where only ${left} are left`;
          this.refuse(end === this.file.size ? 'Truncated' : 'InvalidLength', tagAt, what);
        }
        field = { number, wire, start: tagAt, lengthAt: at, valueStart: length.end, end: length.end + length.value, varint: 0 };
      } else if (wire === Wire.Fixed32 || wire === Wire.Fixed64) {
        const after = at + (wire === Wire.Fixed32 ? 4 : 8);
        if (after > end) this.refuse('Truncated', tagAt, `a number ends at byte ${after}, beyond its message`);
        field = { number, wire, start: tagAt, lengthAt: at, valueStart: at, end: after, varint: 0 };
      } else {
        return this.refuse('InvalidTag', tagAt, `a field has the wire type ${wire}, which ONNX does not use`);
      }
      at = field.end;
      yield field;
    }
  }

  /** Text of a Bytes field; invalid UTF-8 is replaced, as names of broken exporters hold it. `limit` bounds hostile names. */
  text(field: Field, limit = 1 << 16): string {
    const length = field.end - field.valueStart;
    if (field.wire !== Wire.Bytes) this.refuse('InvalidTag', field.start, `field ${field.number} is a number where text is needed`);
    if (length > limit) this.refuse('InvalidText', field.start, `a text of ${length} bytes is given where ONNX has a name`);
    return this.file.text(field.valueStart, field.end);
  }

  /** Refuses a field that is not a message. */
  message(field: Field): Field {
    if (field.wire !== Wire.Bytes) this.refuse('InvalidTag', field.start, `field ${field.number} is a number where a message is needed`);
    return field;
  }

  /** Values of an int32 or int64 field, packed or single, appended to `into`; rounded beyond 2^53. */
  integers(field: Field, into: number[], limit = 1 << 20): void {
    const push = (value: number): void => {
      if (into.length >= limit) this.refuse('InvalidLength', field.start, `a list of integers has more than ${limit} entries`);
      into.push(value);
    };
    if (field.wire === Wire.Varint) return push(field.varint);
    this.message(field);
    for (let at = field.valueStart; at < field.end;) {
      const { signed, end } = this.varint(at, field.end);
      push(signed);
      at = end;
    }
  }

  /** A base-128 number, as uint64 and as int64; either is rounded beyond 2^53. */
  varint(start: number, end: number): { value: number; signed: number; end: number } {
    /** Bits 0-27, 28-55 and 56-63, so that small negative numbers stay exact. */
    const parts = [0, 0, 0];
    for (let i = 0; i < 10 && start + i < end; i++) {
      const byte = this.file.byte(start + i);
      parts[i >> 2] += (byte & 0x7f) * 2 ** (7 * (i & 3));
      if (byte < 0x80) {
        const low = parts[0] + (parts[1] & 0xf) * 2 ** 28;
        const high = (parts[1] >>> 4) + (parts[2] & 0xff) * 2 ** 24;
        return { value: low + high * TWO_32, signed: low + (high | 0) * TWO_32, end: start + i + 1 };
      }
    }
    const cut = end - start < 10;
    return this.refuse(cut ? 'Truncated' : 'InvalidVarint', start, cut ? 'a number is cut off' : 'a number has more than 10 bytes');
  }
}
