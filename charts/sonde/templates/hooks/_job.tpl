{{- /* A Job of the operator's image: root, task. */ -}}
{{- define "sonde.hookJob" -}}
{{- $operator := .root.Values.operator -}}
backoffLimit: 3
activeDeadlineSeconds: 180
template:
  metadata:
    labels:
      app.kubernetes.io/name: sonde
      app.kubernetes.io/instance: {{ .root.Release.Name }}
      app.kubernetes.io/component: hook
  spec:
    restartPolicy: Never
    serviceAccountName: sonde-hooks
    automountServiceAccountToken: true
    enableServiceLinks: false
    {{- with .root.Values.imagePullSecrets }}
    imagePullSecrets:
      {{- toYaml . | nindent 6 }}
    {{- end }}
    securityContext:
      {{- include "sonde.podSecurity" .root | nindent 6 }}
    containers:
      - name: {{ .task }}
        image: {{ include "sonde.image" (dict "root" .root "image" $operator.image) }}
        imagePullPolicy: {{ $operator.image.pullPolicy }}
        args: [{{ .task }}]
        env:
          - name: SONDE_NAMESPACE
            valueFrom: { fieldRef: { fieldPath: metadata.namespace } }
          - name: SONDE_STORES
            value: {{ toJson .root.Values.stores | quote }}
          - name: SONDE_LOG_LEVEL
            value: {{ $operator.logLevel }}
        resources:
          requests: { cpu: 50m, memory: 128Mi }
          limits: { memory: 256Mi }
        securityContext:
          {{- include "sonde.containerSecurity" .root | nindent 10 }}
    {{- with $operator.nodeSelector }}
    nodeSelector:
      {{- toYaml . | nindent 6 }}
    {{- end }}
    {{- with $operator.tolerations }}
    tolerations:
      {{- toYaml . | nindent 6 }}
    {{- end }}
{{- end }}
