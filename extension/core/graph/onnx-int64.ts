import Long from 'long';
import * as protobuf from 'protobufjs/minimal';

/*
 * protobufjs 6 looks for `long` with a require that bundlers cannot see. In a bundle it would silently fall back to JavaScript numbers
 * and corrupt 64-bit integers (INT64_MAX, the usual "to the end" of Slice, becomes INT64_MIN). So it is handed over explicitly,
 * and before onnx-proto is loaded, because the generated classes choose their int64 defaults when they are defined.
 */
protobuf.util.Long = Long;
protobuf.configure();
