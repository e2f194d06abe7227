// Help texts of the cluster's subcommands, in the manner of kubectl. Neighbour: cli/help.ts.

const top = `Sonde traces what pods do, with eBPF: it writes a TraceJob, follows it, and fetches its result.

Commands:
  run         Trace pods and fetch the result
  list        List jobs
  watch       Follow a job until its end
  fetch       Fetch a job's result into a folder
  open        Fetch a job's result and show its report
  stop        End a job early; it keeps what it has
  doctor      Say what you may do, and what each node can and can't trace
  gadgets     List what can be traced, or explain one gadget
  validate    Check TraceJob files without a cluster
  version     Show the version

Examples:
  # Which code of the checkout pods uses the CPU?
  kubectl sonde run cpu-profile -l app=checkout -d 30s

  # The same for GitOps: nothing is created
  kubectl sonde run cpu-profile -l app=checkout -d 30s --dry-run=client -o yaml

Use "kubectl sonde help COMMAND" for a command's flags. \`sonde run\` traces on this machine instead.
`;

const access = `      --kubeconfig FILE   Default: $KUBECONFIG, else ~/.kube/config, else the pod's own service account
      --context NAME      A context of the kubeconfig; default: the current one
  -n, --namespace NAME    Default: the context's
  -h, --help              This text`;

const exits =
  "Exit codes: 0 done; 1 the job failed; 2 the input was wrong; 3 the cluster can't, or you may not.\n";

const run = `Trace pods: write a TraceJob, follow it, fetch its result, print the summary.

Without -l, every pod of the namespace is traced. Ctrl-C ends the job early and still fetches the result; a second one
leaves it running by itself. The job stays in the cluster until its --ttl, or until it is deleted.

Examples:
  # CPU profile of the pods with a label, for 30 seconds
  kubectl sonde run cpu-profile -l app=checkout -d 30s

  # Failed opens in one container of at most five pods, in another namespace
  kubectl sonde run open-files --failed-only -n shop -l 'tier in (web,api)' --containers api --max-pods 5

  # In all namespaces, on some nodes; needs cluster-wide rights
  kubectl sonde run run-queue-latency -A --nodes pool=blue

  # For GitOps: print the TraceJob, touch nothing
  kubectl sonde run cpu-profile -l app=checkout --name checkout-cpu --dry-run=client -o yaml

  # For scripts: the result as JSON on stdout; or the job with its status
  kubectl sonde run syscall-counts -l app=checkout --json > result.json
  kubectl sonde run syscall-counts -l app=checkout -o json > job.json

Usage:
  kubectl sonde run GADGET [PARAMETERS] [FLAGS]
  kubectl sonde run -f FILE [FLAGS]

Flags:
  -l, --selector LABELS   The pods: app=checkout,tier in (web,api),!canary
  -c, --containers NAMES  Only these containers of them: a,b
      --max-pods N        A sample of at most so many pods, stable by name
      --nodes LABELS      Only pods on nodes with these labels
  -A, --all-namespaces    A ClusterTraceJob: pods of all namespaces
  -d, --duration TIME     How long: 30s, 1m30s; 1s…24h. Default 60s
      --budget LIMITS     Per node: cpu=20m,memory=64Mi,events=100000,artifacts=100Mi
      --redact WHAT       None, Secrets or All; default Secrets
      --store NAME        The TraceStore or ClusterTraceStore; default: default
      --ttl SECONDS       The job is deleted so long after its end
      --name NAME         Default: the gadget's, and five characters that make it unique
  -f, --file FILE         A TraceJob or ClusterTraceJob instead; - is standard input
      --dry-run=client    Print the job instead of creating it
  -o FORMAT               json, yaml or name: the job, when it has ended
      --output DIR        The folder for the result; default: sonde-NAME-UID here
      --json              result.json on stdout at the end; errors as JSON on stderr
${access}

${exits}`;

const others: Record<string, string> = {
  list: `List the jobs of a namespace, or of all with the cluster's own.

Examples:
  kubectl sonde list
  kubectl sonde list -A -o wide
  kubectl sonde list -l team=shop -o name

Usage:
  kubectl sonde list [-l LABELS] [FLAGS]

Flags:
  -A, --all-namespaces    All namespaces, and ClusterTraceJobs
  -l, --selector LABELS   Only jobs with these labels
  -o, --output FORMAT     json, yaml, name or wide
      --no-headers        Without the line of titles
${access}

${exits}`,
  watch: `Follow a job until its end: phase, nodes, pods, counts, losses, cost; then its headline and first rows.

On a terminal one line is redrawn; on a pipe there is a line for each change. A connection that breaks is made again.

Examples:
  kubectl sonde watch checkout-cpu
  kubectl sonde watch clustertracejob/nightly
  kubectl sonde watch checkout-cpu -o json     # the object at each change, a line each

Usage:
  kubectl sonde watch NAME [-o json|yaml|name] [FLAGS]

Flags:
${access}

${exits}`,
  fetch: `Fetch a job's result into a folder. Each file is checked by its digest before it gets its name; what was begun goes on.

The files come from the store by signed URLs, or through the API server where the store can't be reached from here. Needs
the right to create traceartifacts in the job's namespace (ClusterRole edit); no keys of the store.

Examples:
  kubectl sonde fetch checkout-cpu
  kubectl sonde fetch checkout-cpu --file profile.pb.gz --output profiles
  kubectl sonde fetch ctj/nightly -o json

Usage:
  kubectl sonde fetch NAME [--file NAME]… [--output DIR] [FLAGS]

Flags:
      --file NAME         Only this file; may be repeated
      --output DIR        Default: sonde-NAME-UID here
  -o FORMAT               json, yaml or name (paths), of what was fetched
${access}

${exits}`,
  open: `Fetch a job's result and show its report in the browser; where there is none, print the report's path.

Examples:
  kubectl sonde open checkout-cpu

Usage:
  kubectl sonde open NAME [--output DIR] [-o json|yaml|name] [FLAGS]

Flags:
      --output DIR        Default: sonde-NAME-UID here
${access}

${exits}`,
  stop: `End a job early: probes are detached, and what was recorded becomes its result. It sets spec.suspend.

Examples:
  kubectl sonde stop checkout-cpu

Usage:
  kubectl sonde stop NAME [-o json|yaml|name] [FLAGS]

Flags:
${access}

${exits}`,
};

const doctor = `Say whether the cluster can be reached and has Sonde, what you may do with it in a namespace, and what each node can and
can't trace, and why. Changes nothing.

Examples:
  kubectl sonde doctor
  kubectl sonde doctor -n shop -o json

Usage:
  kubectl sonde doctor [-o json|yaml] [FLAGS]

Flags:
      --sonde-namespace NAME  Where Sonde is installed; default: sonde-system
${access}

Exit codes: 0 \`kubectl sonde run\` can work; 3 it can't.
`;

/** undefined: the text of one machine is right in a cluster too. */
export function clusterHelp(about: string | undefined, asPlugin: boolean): string | undefined {
  if (about !== undefined && Object.hasOwn(others, about)) return others[about];
  if (!asPlugin) return undefined;
  if (about === undefined) return top;
  return { run, doctor }[about];
}
