{{- define "latchkey.name" -}}
{{ .Release.Name | trunc 50 | trimSuffix "-" }}
{{- end }}

{{- define "latchkey.labels" -}}
app.kubernetes.io/name: latchkey
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{/* What selects the pods of one part: a list of the root and the part's name. */}}
{{- define "latchkey.selector" -}}
app.kubernetes.io/name: latchkey
app.kubernetes.io/instance: {{ (index . 0).Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end }}

{{/* The name of an image: a list of the root, and a dict of repository and tag. */}}
{{- define "latchkey.image" -}}
{{- $root := index . 0 -}}
{{- $image := index . 1 -}}
{{- $tag := $image.tag | default $root.Chart.AppVersion -}}
{{- $repository := required "image.repository: where is the image that you built?" $image.repository -}}
{{- if hasPrefix "sha256:" $tag }}{{ $repository }}@{{ $tag }}{{ else }}{{ $repository }}:{{ $tag }}{{ end -}}
{{- end }}

{{- define "latchkey.account" -}}
{{- if .Values.serviceAccount.name }}{{ .Values.serviceAccount.name }}{{ else if .Values.serviceAccount.create }}{{ include "latchkey.name" . }}{{ else }}default{{ end -}}
{{- end }}

{{/* The pod of one part: a dict of root, component, command (empty: the image's own), resources, probes,
annotations, which win over those of all, an image instead of that of all, a claim for /backups, and own: values with
env and secretName, which win over those of all. */}}
{{- define "latchkey.pod" -}}
{{- $root := .root -}}
{{- $own := .own | default dict -}}
{{- $settings := merge (dict) ($own.env | default dict) $root.Values.env -}}
metadata:
  labels:
    {{- include "latchkey.labels" $root | nindent 4 }}
    app.kubernetes.io/component: {{ .component }}
  annotations:
    checksum/settings: {{ toYaml $settings | sha256sum }}
    {{- with merge (dict) (.annotations | default dict) $root.Values.podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  {{- with $root.Values.image.pullSecrets }}
  imagePullSecrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  serviceAccountName: {{ .account | default (include "latchkey.account" $root) }}
  automountServiceAccountToken: false
  {{- with .restartPolicy }}
  restartPolicy: {{ . }}
  {{- end }}
  terminationGracePeriodSeconds: {{ .graceSeconds | default 30 }}
  securityContext:
    runAsNonRoot: true
    runAsUser: 10001
    runAsGroup: 10001
    fsGroup: 10001
    seccompProfile: {type: RuntimeDefault}
  containers:
    - name: {{ .component }}
      image: {{ include "latchkey.image" (list $root (.image | default $root.Values.image)) | quote }}
      imagePullPolicy: {{ $root.Values.image.pullPolicy }}
      {{- with .command }}
      command:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      securityContext:
        allowPrivilegeEscalation: false
        readOnlyRootFilesystem: true
        capabilities: {drop: [ALL]}
      env:
        - name: PUBLIC_URL
          value: {{ required "publicUrl: where do browsers reach Latchkey? (https://connect.example.com)" $root.Values.publicUrl | quote }}
        {{- range $name, $url := dict "WIDGET_URL" $root.Values.widgetUrl "ADMIN_URL" $root.Values.adminUrl "API_URL" $root.Values.apiUrl }}
        {{- with $url }}
        - name: {{ $name }}
          value: {{ . | quote }}
        {{- end }}
        {{- end }}
        - name: BEHIND_TLS_PROXY
          value: "true"
        - name: TRUSTED_PROXY_COUNT
          value: {{ $root.Values.trustedProxyCount | quote }}
        - name: POD_NAME
          valueFrom: {fieldRef: {fieldPath: metadata.name}}
        {{- with .env }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
        {{- range (ternary $root.Values.keyFiles.settings list (ne $root.Values.keyFiles.secretName "")) }}
        - name: {{ . }}_FILE
          value: /etc/latchkey/keys/{{ . }}
        {{- end }}
        {{- if and $root.Values.clientSecrets.secretName (not (hasKey $settings "LATCHKEY_SECRET_SOURCES")) }}
        - name: LATCHKEY_SECRET_SOURCES
          value: file:/etc/latchkey/client-secrets/
        {{- end }}
        {{- range $name, $value := $settings }}
        - name: {{ $name }}
          {{- if kindIs "map" $value }}
          {{- toYaml $value | nindent 10 }}
          {{- else }}
          value: {{ $value | quote }}
          {{- end }}
        {{- end }}
      envFrom:
        - secretRef:
            name: {{ required "secretName: which Secret holds the keys and the addresses of database and broker?" $root.Values.secretName }}
        {{- with $root.Values.envFrom }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
        {{- with $own.secretName }}
        - secretRef:
            name: {{ . }}
        {{- end }}
      {{- with .ports }}
      ports:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with .probes }}
      {{- toYaml . | nindent 6 }}
      {{- end }}
      resources:
        {{- toYaml .resources | nindent 8 }}
      volumeMounts:
        - {name: tmp, mountPath: /tmp}
        - {name: spool, mountPath: /var/lib/latchkey}
        {{- if .claim }}
        - {name: backups, mountPath: /backups}
        {{- end }}
        {{- if $root.Values.keyFiles.secretName }}
        - {name: keys, mountPath: /etc/latchkey/keys, readOnly: true}
        {{- end }}
        {{- if $root.Values.clientSecrets.secretName }}
        - {name: client-secrets, mountPath: /etc/latchkey/client-secrets, readOnly: true}
        {{- end }}
        {{- if $root.Values.catalog.configMap }}
        - {name: catalog, mountPath: /etc/latchkey/catalog, readOnly: true}
        {{- end }}
  volumes:
    - name: tmp
      emptyDir: {sizeLimit: 128Mi}
    - name: spool
      {{- if $root.Values.spool.existingClaim }}
      persistentVolumeClaim: {claimName: {{ $root.Values.spool.existingClaim }}}
      {{- else }}
      emptyDir: {sizeLimit: 128Mi}
      {{- end }}
    {{- with .claim }}
    - name: backups
      persistentVolumeClaim: {claimName: {{ . }}}
    {{- end }}
    {{- with $root.Values.keyFiles.secretName }}
    - name: keys
      secret: {secretName: {{ . | quote }}, defaultMode: 0440}
    {{- end }}
    {{- with $root.Values.clientSecrets.secretName }}
    - name: client-secrets
      secret: {secretName: {{ . | quote }}, defaultMode: 0440}
    {{- end }}
    {{- if $root.Values.catalog.configMap }}
    - name: catalog
      configMap: {name: {{ $root.Values.catalog.configMap }}}
    {{- end }}
  {{- with $root.Values.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $root.Values.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- if $root.Values.affinity }}
  affinity:
    {{- toYaml $root.Values.affinity | nindent 4 }}
  {{- else if not .restartPolicy }}
  topologySpreadConstraints:
    - maxSkew: 1
      topologyKey: kubernetes.io/hostname
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels:
          {{- include "latchkey.selector" (list $root .component) | nindent 10 }}
  {{- end }}
{{- end }}
