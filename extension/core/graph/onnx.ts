/** The only place that imports onnx-proto: everything else imports from here, so that int64 values are right (see onnx-int64.ts). */
import './onnx-int64';
export { onnx } from 'onnx-proto';
