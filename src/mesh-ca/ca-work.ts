import type { OutboxEntry } from '../model/outbox.ts'

/** Work that looks at a mesh CA; `unique` tells it apart from other looks. */
export function rotateCaWork(name: string, unique: string, notBefore?: string): OutboxEntry {
  return {
    id: `rotate-ca.${unique}`,
    kind: 'work',
    queue: 'lifecycle',
    message: { kind: 'rotate-ca', ca: name },
    ...(notBefore === undefined ? {} : { notBefore }),
  }
}

/** Work that looks at what the cluster trusts. */
export function trustWork(name: string, unique: string): OutboxEntry {
  return { id: `trust.${unique}`, kind: 'work', queue: 'work', message: { kind: 'trust', ca: name } }
}
