// `npm run cluster:down`: ends the test cluster and leaves nothing of it but caches. Neighbours: up.ts, remains.ts (what is done).

import { step } from '../../build/step.ts';
import { lockName } from './layout.ts';
import { alone } from './lock.ts';
import { removeRemains } from './remains.ts';

await alone(lockName, () => step('the test cluster is taken away', removeRemains));
