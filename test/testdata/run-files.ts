// Runs the files named on the command line as test/run.ts would, and prints their reports; a process of its own, since test runs do not nest.
import { runFiles } from '../files.ts';

const files = process.argv.slice(2);
const reports = await runFiles(files, { concurrency: 2, testLimit: 5000, fileLimit: 1500, onFile: () => {} });
console.log(JSON.stringify(reports));
