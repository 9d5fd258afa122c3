import * as fs from 'node:fs/promises';
import * as os from 'node:os';
import * as path from 'node:path';

/** A folder for the tests of the enclosing `describe`, removed after them. */
export function temporaryFolder(): { file(name: string): string; write(name: string, content: string | Uint8Array): Promise<string>; list(): Promise<string[]> } {
  let folder = '';
  before(async () => {
    folder = await fs.mkdtemp(path.join(os.tmpdir(), 'longconv-test-'));
  });
  after(() => fs.rm(folder, { recursive: true, force: true }));
  const file = (name: string): string => path.join(folder, name);
  return {
    file,
    async write(name, content) {
      await fs.mkdir(path.dirname(file(name)), { recursive: true });
      await fs.writeFile(file(name), content);
      return file(name);
    },
    list: async () => (await fs.readdir(folder)).sort(),
  };
}

export const fixture = (name: string): string => path.join(__dirname, '..', '..', 'fixtures', name);
