import { type Result, succeed } from '../../model/failure.ts'
import type { PutOutcome } from '../../ports/put-document.ts'
import { operationIds } from '../operations.ts'
import type { Answer, Call } from '../route.ts'
import { type WaitQuery, waitFor } from '../wait.ts'
import { acceptedAnswer, putAnswer, settledAnswer } from './owned.ts'

/** What certificates and mesh CAs have, as far as waiting for their rotations goes. */
interface Rotating {
  readonly name: string
  readonly spec: unknown
  readonly generation: number
  readonly observedGeneration: number
  readonly rotation?: { readonly id: string }
}

/** How one purpose of `/certificates/{name}` is waited for and shown. */
export interface RotatingKind<Document extends Rotating> {
  /** The document as it is now; undefined: it is gone. */
  readonly read: (name: string) => Promise<Document | undefined>
  readonly view: (document: Document, warnings?: readonly string[]) => object
  /** Is its rotation over? */
  readonly isOver: (document: Document) => boolean
  /** Nothing more comes by itself: it failed, or waits for a person. */
  readonly needsSomeone: (document: Document) => boolean
}

/** After a PUT or PATCH: done when what was asked is carried out; else 202 and an operation. */
export async function afterRotatingPut<Document extends Rotating>(
  call: Call<unknown, WaitQuery>,
  kind: RotatingKind<Document>,
  outcome: Result<PutOutcome<Document>>,
): Promise<Result<Answer>> {
  if (!outcome.ok) return outcome
  const { document: written, warnings } = outcome.value
  const { name, spec, generation } = written
  const isDone = (seen: Document) => seen.observedGeneration >= generation
  const seen = await look(call, kind, written, isDone)
  const path = `/certificates/${name}`
  const answer = putAnswer(call.request, outcome.value, { path, key: name, spec, view: kind.view(seen, warnings) })
  const operation = operationIds.certificate(name, generation)
  return succeed(settledAnswer(call, answer, { operation, isDone: isDone(seen) }))
}

/** 200 when the rotation is over, 202 while it goes on or waits for its CA. */
export async function rotationAnswer<Document extends Rotating>(
  call: Call<unknown, WaitQuery>,
  kind: RotatingKind<Document>,
  document: Document,
  id: string,
): Promise<Result<Answer>> {
  const isOver = (seen: Document) => seen.rotation?.id !== id || kind.isOver(seen)
  const seen = await look(call, kind, document, isOver)
  const answer = { status: 200, json: kind.view(seen) }
  if (isOver(seen)) return succeed(answer)
  return succeed(acceptedAnswer(call.request, operationIds.rotation(id), answer))
}

/** The document as it is once `done` or where it needs someone, or when the wait is over. */
function look<Document extends Rotating>(
  { deps, request, query }: Call<unknown, WaitQuery>,
  kind: RotatingKind<Document>,
  written: Document,
  done: (document: Document) => boolean,
): Promise<Document> {
  const read = async () => (query.wait === undefined ? written : ((await kind.read(written.name)) ?? written))
  return waitFor(deps.clock, query.wait, request.signal, read, (seen) => done(seen) || kind.needsSomeone(seen))
}
