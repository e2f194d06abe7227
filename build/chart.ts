// The CustomResourceDefinitions as templates of the chart, so that `helm upgrade` brings new gadgets and `helm uninstall` leaves the users' objects.
// Written by build/generate.ts. Neighbours: crds/manifest.ts (what they are made of), charts/sonde.

import { basename } from 'node:path';
import type { GeneratedFile } from '../crds/manifest.ts';

export function crdTemplates(manifests: readonly GeneratedFile[]): GeneratedFile[] {
  return manifests.map(({ path, text }) => ({
    path: `charts/sonde/templates/crds/${basename(path)}`,
    // To Helm two braces begin an action.
    text: text
      .replaceAll('{{', '{{ "{{" }}')
      .replace(
        /^metadata:\n(?= {2}name: )/m,
        'metadata:\n  annotations:\n    helm.sh/resource-policy: keep\n  labels:\n    {{- include "sonde.labels" . | nindent 4 }}\n',
      ),
  }));
}
