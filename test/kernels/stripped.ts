// In a guest, TypeScript files have no types any more (test/kernels/root.ts): this makes Node take them as the JavaScript they are.
// Loaded before everything else there (NODE_OPTIONS in init.sh), as JavaScript of the same name.

import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';

registerHooks({
  load(url, context, next) {
    if (!url.startsWith('file:') || !url.endsWith('.ts')) return next(url, context);
    return { format: 'module', source: readFileSync(fileURLToPath(url), 'utf8'), shortCircuit: true };
  },
});
