{{- /* What the gadgets' table names (checked by test/chart), NET_RAW for packets, SYSLOG for the names of the kernel's own functions. */ -}}
{{- define "sonde.capabilities" -}}
{{- $named := list "BPF" "PERFMON" "SYS_PTRACE" "NET_RAW" "SYSLOG" -}}
{{- range concat $named .Values.agent.extraCapabilities | uniq }}
- {{ . }}
{{- end }}
{{- end }}
