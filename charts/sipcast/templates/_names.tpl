{{/* Names, labels and what pods have in common. Names are fixed: there is one sipcast in a cluster. */}}

{{- define "sipcast.labels" -}}
{{ include "sipcast.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- end }}

{{- define "sipcast.selector" -}}
app.kubernetes.io/name: sipcast
app.kubernetes.io/instance: {{ .root.Release.Name | quote }}
{{- with .component }}
app.kubernetes.io/component: {{ . }}
{{- end }}
{{- end }}

{{- define "sipcast.image" -}}
{{- with .Values.image -}}
{{ .repository }}{{ if .digest }}@{{ .digest }}{{ else }}:{{ .tag | default $.Chart.AppVersion }}{{ end }}
{{- end }}
{{- end }}

{{/* Without a tag of its own, that of the image above: one build makes both. */}}
{{- define "sipcast.birdImage" -}}
{{- with .Values.bird.image -}}
{{ .repository }}{{ if .digest }}@{{ .digest }}{{ else }}:{{ .tag | default $.Values.image.tag | default $.Chart.AppVersion }}{{ end }}
{{- end }}
{{- end }}

{{/* Secrets with passwords of BGP sessions, as a JSON list: those of `peers`, and further ones. */}}
{{- define "sipcast.passwordSecrets" -}}
{{- $names := .Values.bgp.passwordSecrets }}
{{- range .Values.bgp.peers }}
{{- with .passwordSecretRef }}{{ $names = append $names .name }}{{ end }}
{{- end }}
{{- if has "sipcast-keys" $names }}
{{- fail "bgp.passwordSecrets: sipcast-keys is no password, and none of the announcer's business" }}
{{- end }}
{{- $names | uniq | toJson }}
{{- end }}

{{/* HOST:PORT of this variable, an address of the primary family. */}}
{{- define "sipcast.listen" -}}
{{- if eq .root.Values.primaryFamily "IPv6" }}[$({{ .variable }})]{{ else }}$({{ .variable }}){{ end }}:{{ .port }}
{{- end }}

{{/* The restricted profile of Pod Security, and a read-only root. */}}
{{- define "sipcast.restricted" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: { drop: [ALL] }
{{- end }}

{{- define "sipcast.user" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
seccompProfile: { type: RuntimeDefault }
{{- end }}
