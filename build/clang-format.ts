// Checks (--check) or makes (--write) the format of all C and C++ in the checkout by .clang-format. Generated headers keep their form.

import { command } from './step.ts';

const root = new URL('..', import.meta.url).pathname;

/** Formats the files, or throws with the first lines that differ. Gives how many files there are. */
export async function clangFormat(mode: '--check' | '--write'): Promise<string> {
  const patterns = ['*.c', '*.h', '*.cc', '*.hpp', ':!:*vmlinux*.h', ':!:*.generated.h'];
  const listed = await command(
    ['git', 'ls-files', '-z', '--cached', '--others', '--exclude-standard', '--', ...patterns],
    { cwd: root },
  );
  const deleted = await command(['git', 'ls-files', '-z', '--deleted'], { cwd: root });
  const gone = new Set(deleted.split('\0'));
  const files = listed.split('\0').filter((file) => file !== '' && !gone.has(file));
  if (files.length === 0) return 'no files';
  const how = mode === '--write' ? ['-i'] : ['--dry-run', '-Werror', '--ferror-limit=5'];
  await command(['clang-format-19', ...how, ...files], { cwd: root });
  return `${files.length} files`;
}

if (import.meta.main) {
  const mode = process.argv[2];
  if (mode !== '--check' && mode !== '--write') {
    console.error('usage: node build/clang-format.ts --check | --write');
    process.exit(2);
  }
  try {
    console.log(await clangFormat(mode));
  } catch (error) {
    // Without the command: it names every file.
    console.error(error instanceof Error ? error.message.replace(/^.*\n/, '') : error);
    console.error('`node build/clang-format.ts --write` formats them');
    process.exit(1);
  }
}
