import { beforeAll, describe, expect, it } from 'vitest'
import { accessCases } from './access-cases.ts'
import { applyCases } from './apply-cases.ts'
import type { Connect, Connection } from './client.ts'
import { runStory, story } from './differential.ts'
import { discoveryCases } from './discovery-cases.ts'
import { errorCases } from './error-cases.ts'
import { listCases } from './list-cases.ts'
import { objectCases } from './object-cases.ts'
import { ownershipCases } from './ownership-cases.ts'
import { secretCases } from './secret-cases.ts'

/** What a group of cases runs on; made before the first case. */
export type Ask = () => Connection

/**
 * What Meshwright relies on of a Kubernetes API server. Holds for the real one and for the emulator alike.
 * The server carries Istio's CRDs and serves no admission plugins beyond the usual ones.
 */
export function kubernetesContract(name: string, connect: Connect): void {
  describe(`Kubernetes API: ${name}`, () => {
    let connection: Connection | undefined
    beforeAll(async () => {
      connection = await connect()
    })
    const ask: Ask = () => {
      if (!connection) throw new Error('not connected')
      return connection
    }
    describe('discovery', () => discoveryCases(ask))
    describe('access', () => accessCases(ask))
    describe('objects', () => objectCases(ask))
    describe('lists', () => listCases(ask))
    describe('server-side apply', () => applyCases(ask))
    describe('Secrets', () => secretCases(ask))
    describe('field ownership', () => ownershipCases(ask))
    describe('refusals', () => errorCases(ask))
  })
}

/**
 * Tells the same seeded stories to two servers and asks whether they end alike: status codes, answers, objects and
 * whether anything was written, but for what chance and time decide. About 12 ms a request on a real server.
 */
export function kubernetesDifferential(name: string, real: Connect, emulated: Connect, stories = 60): void {
  describe(`Kubernetes API: the emulator beside ${name}`, () => {
    let servers: readonly [Connection, Connection] | undefined
    beforeAll(async () => {
      servers = [await real(), await emulated()]
    })
    it.each(Array.from({ length: stories }, (_, at) => at + 1))('agrees in story %i', async (seed) => {
      if (!servers) throw new Error('not connected')
      const told = story(seed, 12)
      const [expected, found] = [await runStory(servers[0], told), await runStory(servers[1], told)]
      for (const [at, observation] of expected.entries()) {
        if (!found[at]) break
        expect(found[at], `step ${at}: ${told.steps[at]?.text}`).toEqual(observation)
      }
    })
  })
}
