import { expect, it } from 'vitest'
import { createApp } from '../../../src/app.ts'
import { settingsFor } from '../../simulation/surroundings.ts'

/** Events that are written while somebody without a token calls, and a message comes that is none of ours. */
async function written(settings: object): Promise<readonly string[]> {
  const events: string[] = []
  const logSink = (_level: string, line: string) => void events.push(JSON.parse(line).event)
  const app = createApp({ ...settingsFor([], false), ...settings }, { logSink })
  const request = { method: 'GET', path: '/api/v1/services', query: new URLSearchParams(), headers: {} }
  await app.http({ ...request, baseUrl: 'https://mesh.example', body: async () => new Uint8Array() })
  await app.work('none of ours')
  return events
}

it('writes from the level on that the settings name, and from info on by itself', async () => {
  expect(await written({})).toEqual(['http.unauthenticated', 'work.unreadable'])
  expect(await written({ logLevel: 'error' })).toEqual(['work.unreadable'])
})
