/**
 * The ConfigMap (YAML) by which the metrics agent of AKS scrapes the sidecars of these namespaces: Istio annotates their
 * Pods with `prometheus.io/*`. `alias` is the value of the label `cluster`, where it is not the AKS cluster's name. Source:
 * Microsoft Learn, "Customize scraping of Prometheus metrics in Azure Monitor".
 */
export function scrapeSettings(namespaces: readonly string[], alias?: string): string {
  const lines = [
    '# If the cluster has this ConfigMap already, put these settings into it: applying this one replaces it.',
    'apiVersion: v1',
    'kind: ConfigMap',
    'metadata:',
    '  name: ama-metrics-settings-configmap',
    '  namespace: kube-system',
    'data:',
    '  schema-version: v1',
    '  config-version: ver1',
    '  pod-annotation-based-scraping: |-',
    `    podannotationnamespaceregex = ${quoted(namespaces.join('|'))}`,
    '  default-targets-scrape-interval-settings: |-',
    '    podannotations = "30s"',
  ]
  const aliased =
    alias === undefined ? [] : ['  prometheus-collector-settings: |-', `    cluster_alias = ${quoted(alias)}`]
  return `${[...lines, ...aliased].join('\n')}\n`
}

/** A TOML string on one line: what it holds cannot end it, nor the YAML block around it. */
function quoted(text: string): string {
  return JSON.stringify(text).replace(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
