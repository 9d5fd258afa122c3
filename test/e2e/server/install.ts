// Installs the editor that the tests drive, where it is not there yet: `npm test` does so while the native code is built.
import { installEditor } from './installation';

void installEditor();
