import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { Emulator } from './emulators/emulator.ts'
import type { Answer, Call, Started } from './state-calls.ts'

/** The emulated Cosmos DB and queues, in a thread of their own. */
export interface StateServices {
  readonly urls: Started
  /** For the host, without sockets. Reject when the emulator fails. */
  readonly cosmos: Emulator
  readonly queues: Emulator
  /** Ends connections and closes the file. */
  close(): Promise<void>
}

interface Waiting {
  resolve(answer: Answer): void
  reject(error: Error): void
}

/**
 * Starts the emulators that Meshwright asks all the time, over the tables in a SQLite file. In Azure they are not Meshwright's
 * work either: beside it in one thread they would take a third of its time. A failure of the thread is one of the process.
 */
export async function startStateServices(file: string): Promise<StateServices> {
  const worker = new Worker(new URL('./state-thread.ts', import.meta.url), { workerData: { file } })
  const waiting = new Map<number, Waiting>()
  const [urls] = (await once(worker, 'message')) as [Started]
  const exited = once(worker, 'exit')
  worker.on('message', (answer: Answer) => {
    waiting.get(answer.id)?.resolve(answer)
    waiting.delete(answer.id)
  })
  // Nobody is left who could answer them.
  void exited.then(() => {
    for (const { reject } of waiting.values()) reject(new Error('the emulated Azure has ended'))
  })
  let calls = 0
  const send =
    (service: Call['service']): Emulator =>
    async ({ url, ...request }) => {
      const id = ++calls
      const answered = new Promise<Answer>((resolve, reject) => waiting.set(id, { resolve, reject }))
      worker.postMessage({ ...request, id, service, href: url.href } satisfies Call)
      const { response, error } = await answered
      if (!response) throw new Error(error)
      return response
    }
  return {
    urls,
    cosmos: send('cosmos'),
    queues: send('queues'),
    async close() {
      worker.postMessage('stop')
      await exited
    },
  }
}
