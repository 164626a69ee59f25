import type { AnyDocument } from '../../src/model/documents.ts'
import type { EmulatorRequest } from '../../src/sandbox/emulators/emulator.ts'
import type { Acting } from './network.ts'

/**
 * Where in its work a process is as it sends a request: what it asks of whom, in which call, and how far everything is by the
 * documents. A crash in the same place a second time tells nothing new.
 */
export function placeOf({ system, invocation }: Acting, request: EmulatorRequest, documents: readonly AnyDocument[]) {
  const path = request.url.pathname.replaceAll(/[0-9a-f]{16,}|\d{4}-\d\d-\d\dT[^/]*|\b[a-z0-9]{16,}\b|\d+/g, '#')
  const state = documents.flatMap(stateOf).join(' ')
  return `${invocation?.name} ${system} ${request.method} ${path} ${state}`
}

function stateOf(document: AnyDocument): readonly string[] {
  if (document.kind === 'service') return document.rollouts.map(({ phase, step }) => `${phase}/${step}`)
  if (document.kind === 'certificate') return [document.rotation?.phase ?? '']
  if (document.kind !== 'mesh-ca' || !document.rotation) return []
  const { what, phase, direction, askedUntil, writtenAt, chain, paused } = document.rotation
  const marks = [askedUntil, writtenAt, chain, paused].map((mark) => (mark === undefined ? '-' : '+')).join('')
  return [`${document.history.length} ${what} ${phase} ${direction} ${marks}`]
}
