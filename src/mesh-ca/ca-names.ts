import type { MeshCaSpec } from '../model/mesh-ca.ts'

/** X.520 allows no longer one. */
const LONGEST = 64

interface Subject {
  readonly organization: string
  readonly commonName: string
}

/** Who a new root is: told from the next by the id of the rotation that made it. */
export function rootName(name: string, spec: MeshCaSpec, rotation: string): Subject {
  const id = rotation.split('.').at(-1) ?? ''
  if (spec.purpose === 'mesh-ca') return { organization: name, commonName: `mesh root ${id}` }
  const host = `root.${spec.namespace}.${spec.trustDomain}`.slice(0, LONGEST - id.length - 1)
  return { organization: name, commonName: `${host} ${id}` }
}

/** Who a new signer is. Linkerd looks for the name of its identity controller, and gets it whole as its name in DNS. */
export function signerName(
  name: string,
  spec: MeshCaSpec,
  rotation: string,
): { readonly name: Subject; readonly dnsNames: readonly string[] } {
  if (spec.purpose === 'mesh-ca') {
    const commonName = `mesh CA ${rotation.split('.').at(-1) ?? ''}`
    return { name: { organization: name, commonName }, dnsNames: [] }
  }
  const host = `identity.${spec.namespace}.${spec.trustDomain}`
  return { name: { organization: name, commonName: host.slice(0, LONGEST) }, dnsNames: [host] }
}
