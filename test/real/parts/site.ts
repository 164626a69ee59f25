/** Where the parts of one cluster stand in the namespace of run.ts: clusters of different sites share no address and no port. */
export interface Site {
  /** The address of a pod, by a number of 10 to 29. */
  pod(number: number): string
  /** Where the sidecar of a client takes calls, on the Service's own port; clients are numbered from 0, the mesh's own. */
  entry(client: number): string
  /** A port of 127.0.0.1 that is `usual` on the first site. */
  port(usual: number): number
}

/** The first site, or one beside it; namespace.sh has the addresses of two. */
export function siteOf(index: 0 | 1): Site {
  return {
    pod: (number) => `10.77.${index}.${number}`,
    entry: (client) => (client === 0 ? `127.0.0.${index + 1}` : `127.0.${index + 1}.${client}`),
    port: (usual) => usual + 1000 * index,
  }
}
