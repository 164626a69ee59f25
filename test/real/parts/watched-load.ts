import { expect } from 'vitest'
import type { Mesh } from './mesh.ts'
import type { Answer, Headers } from './traffic.ts'

/** A steady load on one mesh that is watched: in no test may a request fail but by the version that was told to fail. */
export interface WatchedLoad {
  /** All answers since the load began. */
  readonly answers: readonly Answer[]
  /** The answers since `beginTest`. */
  ofThisTest(): readonly Answer[]
  /** Makes a version answer 500 to one request in five until the test ends. */
  harm(version: string): Promise<void>
  beginTest(): void
  /** Fails if a request was lost since `beginTest`, and makes the harmed version healthy again. */
  endTest(): Promise<void>
  /** Requests that were not sent because too many were still open. */
  readonly skipped: () => number
  stop(): Promise<void>
}

/** Starts the load, each request with these headers; it ends by itself after an hour. */
export function watchLoad(mesh: Mesh, perSecond: number, headers?: Headers): WatchedLoad {
  const load = mesh.startLoad({ perSecond, seconds: 3600 }, headers)
  let testBegan = 0
  let harmed: string | undefined
  const ofThisTest = () => load.answers.slice(testBegan)
  return {
    answers: load.answers,
    skipped: load.skipped,
    ofThisTest,
    async harm(version) {
      harmed = version
      await mesh.behave(version, { failShare: 0.2 })
    },
    beginTest() {
      testBegan = load.answers.length
    },
    async endTest() {
      const by = harmed
      harmed = undefined
      if (by !== undefined) await mesh.behave(by, {})
      const isLost = ({ status, version }: Answer) =>
        status !== 200 && !(status === 500 && version !== null && version === by)
      expect(ofThisTest().filter(isLost)).toEqual([])
    },
    async stop() {
      await load.stop()
    },
  }
}
