// The errors that only a cluster gives, a part of the table in cli/errors.ts. Neighbours: cli/cluster/refused.ts (which of them an answer of the API
// server's is), cli/cluster/*.

export const clusterErrors = {
  NoCluster: {
    exit: 3,
    meaning: 'Nothing says which cluster to talk to: no kubeconfig, and this is no pod.',
    advice: 'Set $KUBECONFIG, or give --kubeconfig FILE; `kubectl cluster-info` then works too.',
  },
  KubeconfigInvalid: {
    exit: 2,
    meaning: 'The kubeconfig can not be read, or lacks the context, cluster or user that is asked for.',
    advice: 'Check it with `kubectl config get-contexts`.',
  },
  ClusterUnreachable: {
    exit: 3,
    meaning: 'The API server does not answer, or not over a connection that can be trusted.',
    advice: 'Check the server in the kubeconfig and the way to it: `kubectl version`.',
  },
  Unauthorized: {
    exit: 3,
    meaning: 'The API server does not know who asks: credentials are missing or have expired.',
    advice: 'Log in to the cluster again; `kubectl auth whoami` shows who you are.',
  },
  Forbidden: {
    exit: 3,
    meaning: 'A right is missing in the namespace, or in the cluster for a ClusterTraceJob.',
    advice: 'The message names the right; the ClusterRoles view and edit hold what Sonde needs.',
  },
  SondeMissing: {
    exit: 3,
    meaning: 'The cluster has no TraceJobs: Sonde is not installed in it.',
    advice: 'Install it: `helm install sonde charts/sonde -n sonde-system --create-namespace`.',
  },
  SondeOlder: {
    exit: 3,
    meaning: 'The Sonde in the cluster is older than this command and lacks what the job asks for.',
    advice: 'Upgrade the chart: `helm upgrade sonde charts/sonde -n sonde-system`.',
  },
  OperatorSilent: {
    exit: 3,
    meaning: 'The operator does not answer.',
    advice: 'Look at it: `kubectl -n sonde-system get deployment sonde-operator`, and its log.',
  },
  NamespaceMissing: {
    exit: 2,
    meaning: 'The namespace does not exist.',
    advice: '`kubectl get namespaces` lists them; -n names one.',
  },
  JobNotFound: {
    exit: 2,
    meaning: 'No job has this name in the namespace.',
    advice: '`kubectl sonde list` lists the jobs of the namespace, `kubectl sonde list -A` all of them.',
  },
  JobExists: {
    exit: 2,
    meaning: 'A job of this name exists already; its result is kept.',
    advice: 'Give another name with --name, or delete the job.',
  },
  JobRefused: {
    exit: 2,
    meaning: 'The API server refused the job: a field is wrong, or a policy of the cluster forbids it.',
    advice: 'The message names the field or the policy.',
  },
  JobFailed: {
    exit: 1,
    meaning: 'The job failed and gave no result.',
    advice: 'The message has its reason and what to do; `kubectl describe` shows the Events.',
  },
  JobStopped: {
    exit: 1,
    meaning: 'The job was stopped before any probe was attached: nothing was recorded.',
    advice: 'Run it again.',
  },
  JobDeleted: {
    exit: 1,
    meaning: 'The job was deleted while it was followed.',
    advice: 'Run it again; a job with ttlSecondsAfterFinished is deleted that long after its end.',
  },
  JobNotEnded: {
    exit: 2,
    meaning: 'The job has no result yet.',
    advice:
      '`kubectl sonde watch NAME` waits for its end; `kubectl sonde stop NAME` ends it with what it has.',
  },
  ArtifactRefused: {
    exit: 1,
    meaning: 'The operator can not give a file of the result.',
    advice: 'The message has its reason; the store’s retention may have removed the file.',
  },
  ArtifactUnreachable: {
    exit: 1,
    meaning: 'A file could be had neither from the store nor through the API server.',
    advice:
      'Run `kubectl sonde fetch NAME` again: it goes on where it was. The message says what went wrong.',
  },
  ArtifactDamaged: {
    exit: 1,
    meaning: 'A file did not arrive as it was stored: its digest differs.',
    advice: 'Fetch it again; if it stays so, the file in the store is damaged.',
  },
  ApiFailed: {
    exit: 1,
    meaning: 'The API server answered with an error of its own.',
    advice: 'Try again; the message is the API server’s.',
  },
} as const;
