import { type Emulator, jsonResponse } from './emulators/emulator.ts'
import type { LinkerdEmulator } from './emulators/linkerd/linkerd.ts'

/**
 * How people see who trusts whom in a mesh of Linkerd: `GET /world/linkerd/{cluster}` shows what each controller signs with, what
 * each proxy shows and with which anchors it started (SHA-256 of their text), which pairs of Pods cannot connect now, and how
 * many connections have failed so far. No key is in it.
 */
export function linkerdControl(linkerds: ReadonlyMap<string, LinkerdEmulator>): Emulator {
  return async (request) => {
    const linkerd = linkerds.get(request.url.pathname.split('/')[3] ?? '')
    if (!linkerd) return jsonResponse(404, { error: 'nothing here' })
    if (request.method !== 'GET') return jsonResponse(405, { error: 'the method is not allowed here' })
    return jsonResponse(200, {
      controllers: [...linkerd.controllers().values()].map(({ pod, anchors, issuer }) => ({
        pod,
        anchors,
        issuer: issuer?.fingerprint ?? null,
      })),
      proxies: [...linkerd.proxies().values()].map(({ pod, anchors, leaf }) => ({
        pod,
        anchors,
        signer: leaf?.signer ?? null,
        notAfter: leaf ? new Date(leaf.notAfter).toISOString() : null,
      })),
      failingPairs: linkerd.failingPairs().map((pair) => pair.map(({ pod }) => pod)),
      failures: linkerd.failures(),
      log: linkerd.log(),
    })
  }
}
