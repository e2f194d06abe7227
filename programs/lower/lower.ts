// From a checked program to the intermediate form, and to what is said of it beside the code. programs/compile.ts calls this, then optimizes and emits.

import type { Checked } from '../check/checked.ts';
import type { Compiled, CompiledProbe } from '../compiled.ts';
import type { IrModule } from '../ir.ts';
import type { Kernel } from '../kernel.ts';
import type { Diagnostic } from '../source.ts';
import { hasOwnSection, lowerProgram } from './program.ts';
import { CannotLower, Shared, scratchMap } from './shared.ts';

export interface Lowered {
  module: IrModule;
  compiled: Omit<Compiled, 'object'>;
}

/** diagnostics: what can't be done on this kernel, all of it. runtimeChecks: reads that fail are told. */
export function lowerChecked(
  checked: Checked,
  kernel: Kernel,
  source: IrModule['source'],
  runtimeChecks = false,
): { lowered: Lowered } | { diagnostics: Diagnostic[] } {
  const shared = new Shared(checked, kernel, runtimeChecks);
  const probes: CompiledProbe[] = [];
  const diagnostics: Diagnostic[] = [];
  for (const probe of checked.probes) {
    try {
      let program: string | undefined;
      for (const { attach, name } of probe.attach) {
        if (program === undefined || hasOwnSection(attach)) {
          program = `${probe.provider}_${probes.length}`;
          lowerProgram(shared, probe, attach, program, probes.length);
        }
        probes.push({ program, attach, name });
      }
    } catch (error) {
      if (!(error instanceof CannotLower)) throw error;
      diagnostics.push({ severity: 'error', span: error.span, message: error.message });
    }
  }
  if (diagnostics.length > 0) return { diagnostics };
  const { config } = checked;
  const maps = [...shared.maps.values()];
  const module: IrModule = {
    functions: shared.functions,
    maps: [...maps.map(({ map }) => map), ...scratch(shared)],
    globals: [],
    license: config.license,
    source,
  };
  return {
    lowered: {
      module,
      compiled: {
        probes,
        maps,
        outputs: shared.outputs,
        layouts: checked.layouts,
        enums: checked.enums,
        needsMappings: shared.needsMappings,
        config: {
          stackMode: config.stackMode,
          printMapsOnExit: config.printMapsOnExit,
          maxCatBytes: config.maxCatBytes,
          missingProbes: config.missingProbes,
          strTruncTrailer: config.strTruncTrailer,
        },
      },
    },
  };
}

function scratch(shared: Shared): IrModule['maps'] {
  if (shared.scratchParts === 0) return [];
  return [
    {
      name: scratchMap,
      type: 'percpuArray',
      key: { kind: 'integer', bits: 32, signed: false },
      value: { kind: 'bytes', length: shared.scratchSize },
      entries: shared.scratchParts,
    },
  ];
}
