/** Modules whose functions run programs, code or network traffic: no checkpoint of a model needs any of them. */
const UNSAFE_ANYWHERE = new Set([
  'os', 'posix', 'nt', 'subprocess', '_posixsubprocess', 'pty', 'ctypes', '_ctypes', 'importlib', 'runpy', 'socket', 'shutil', 'webbrowser', 'asyncio',
]);
const UNSAFE_MODULES = new Set([
  'sys', 'pickle', '_pickle', 'cPickle', 'marshal', 'commands', 'popen2', 'multiprocessing', '_thread', 'http', 'httplib', 'urllib', 'urllib2', 'requests', 'ftplib', 'smtplib',
  'telnetlib', 'pip', 'pdb', 'bdb', 'cProfile', 'timeit', 'pkgutil', 'imp', 'zipimport',
]);
const UNSAFE_NAMES = new Set([
  'types.FunctionType', 'types.CodeType', 'types.LambdaType', 'io.open', '_io.open', 'io.FileIO', '_io.FileIO', 'io.open_code', 'code.interact', 'code.InteractiveConsole',
  'code.InteractiveInterpreter', 'profile.run', 'profile.Profile', 'trace.Trace', 'torch.load', 'torch.serialization.load', 'torch.hub.load', 'torch.jit.load', 'numpy.load',
]);
const UNSAFE_BUILTINS = new Set([
  'eval', 'exec', 'execfile', 'compile', 'open', 'file', '__import__', 'breakpoint', 'input', 'raw_input', 'apply', 'globals', 'locals', 'vars', 'delattr', 'setattr', 'reload',
]);

/** Whether Python would hand control to the operating system or to code from the file if it loaded this `module.attribute` and called it. */
export function isUnsafe(name: string): boolean {
  const parts = name.split('.');
  if (parts.some((part) => UNSAFE_ANYWHERE.has(part)) || UNSAFE_MODULES.has(parts[0]) || UNSAFE_NAMES.has(name)) {
    return true;
  }
  return /^(__builtin__|builtins)$/.test(parts[0]) && UNSAFE_BUILTINS.has(parts[1]);
}
