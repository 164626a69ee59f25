import { existsSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Browser, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { handle } from '../../src/http/handle.ts'
import { ROUTES } from '../../src/http/routes.ts'
import type { StepSpec } from '../../src/model/step.ts'
import { rollout, shopWorld, tokenOf, type World } from '../unit/http/fixture.ts'

const CHROMIUM = '/usr/bin/chromium'
const SWITCHES = ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--no-first-run']
const isThere = existsSync(CHROMIUM)
if (!isThere && process.env.CI === 'true') throw new Error(`pages: there is no ${CHROMIUM}`)
if (!isThere) console.warn(`skipped: pages: there is no ${CHROMIUM}`)

describe.skipIf(!isThere)('pages in Chromium', () => {
  let browser: Browser
  let served: { readonly url: string; close(): void }
  let world: World
  let page: Page
  /** What a page must not do: errors, and calls to other hosts. */
  const trouble: string[] = []

  beforeAll(async () => {
    const evil = '<img src=x onerror=alert(1)>'
    world = shopWorld({ rollouts: [rollout({ message: evil, warnings: [evil] })] })
    served = await serve(world)
    browser = await chromium.launch({ executablePath: CHROMIUM, args: SWITCHES })
    page = await browser.newPage()
    page.on('pageerror', (error) => trouble.push(error.message))
    page.on('console', (message) => {
      if (message.type() === 'error' && !message.text().includes('401')) trouble.push(message.text())
    })
    page.on('request', (request) => {
      if (!/^data:/.test(request.url()) && !request.url().startsWith(served.url)) trouble.push(request.url())
    })
  })
  afterAll(async () => {
    await browser?.close()
    served?.close()
    expect(trouble).toEqual([])
  })

  async function useToken(token: string): Promise<void> {
    await page.fill('#token', token)
    await page.click('text=Use')
  }

  it('the dashboard asks for a token and says why one is refused', async () => {
    await page.goto(served.url)
    expect(await page.isVisible('#hint')).toBe(true)
    await useToken('a.b.c')
    await page.waitForSelector('#state:has-text("no token that is taken")')
    expect(await page.isVisible('#content')).toBe(false)
  })

  it('the dashboard shows what runs, and data stays text', async () => {
    await useToken(await tokenOf({ roles: ['Mesh.Viewer'] }))
    await page.waitForSelector('#live .target')
    expect(await page.textContent('#live')).toContain('1 of 100 failed.')
    expect(await page.textContent('#live')).toContain('<img src=x onerror=alert(1)>')
    expect(await page.locator('img:not(.picture)').count()).toBe(0)
    expect(await page.textContent('#services')).toContain('shop/web')
    expect(await page.textContent('#clusters')).toContain('east')
    expect(await page.getAttribute('#live .bar', 'aria-label')).toBe('10 % to v2')
  })

  it('the dashboard shows the evidence as a picture, which stays open and can be saved', async () => {
    await page.click('#live summary:has-text("Evidence")')
    const picture = page.locator('#live img.picture')
    await expect.poll(() => page.evaluate("document.querySelector('#live img.picture').naturalWidth")).toBe(1000)
    expect(await page.getAttribute('#live a[download]', 'download')).toBe('evidence-shop.web.aaaaaaaaaa.svg')
    await page.waitForResponse((response) => response.url().includes('/rollouts?active=true'))
    expect(await picture.isVisible()).toBe(true)
  })

  it('the picture by itself has its colours: the policy lets its own style in', async () => {
    const token = await tokenOf({ roles: ['Mesh.Viewer'] })
    const alone = await browser.newPage({ extraHTTPHeaders: { authorization: `Bearer ${token}` } })
    alone.on('console', (message) => trouble.push(message.text()))
    await alone.goto(`${served.url}/api/v1/rollouts/shop.web.aaaaaaaaaa/evidence?format=svg`)
    const fill = await alone.evaluate("getComputedStyle(document.querySelector('rect.back')).fill")
    expect(fill).toBe('rgb(255, 255, 255)')
    await alone.close()
  })

  it('the dashboard follows what changes', async () => {
    world.store.change('service', 'shop/web', (service) => ({
      ...service,
      rollouts: service.rollouts.map((live) => ({
        ...live,
        targets: live.targets.map((target) => ({ ...target, weight: 50 })),
      })),
    }))
    await page.waitForSelector('#live .bar[aria-label="50 % to v2"]')
  })

  it('the dashboard shows waves, steps of all kinds, who approved, what a webhook said and who broke the glass, as text', async () => {
    const at = new Date().toISOString()
    const evil = { kind: 'person', id: 'g', name: '<b>Grace</b>' } as const
    const steps: StepSpec[] = [
      { weight: 10, for: '2m', approval: { quorum: 2 } },
      { webhook: { url: 'https://ci.example.com/gate' } },
      { match: [{ headers: { 'x-preview': { exact: 'yes' } } }], for: '1h' },
      { hold: '5m' },
    ]
    const live = rollout({
      phase: 'awaiting-approval',
      steps,
      waves: [
        { name: 'canary', clusters: ['east'], steps, bakeMs: 60_000 },
        { name: 'rest', clusters: ['west'], steps: [{ mirror: 50, for: '1h' }], bakeMs: 0 },
      ],
      wave: 0,
      approvals: [evil],
      separateDuties: true,
      onHarm: 'freeze',
      breakGlass: { actor: evil, reason: 'checkout is down', at },
      webhook: { attempts: 2, failures: 2, calledAt: at, againAt: at, outcome: 'failed', detail: '<i>503</i>' },
    })
    world.store.change('service', 'shop/web', (service) => ({ ...service, rollouts: [live] }))
    const card = page.locator('#live .card').first()
    await card.locator('.block', { hasText: 'Wave 2 of 2' }).waitFor()
    expect(await card.locator('.block').first().locator('.step').allTextContents()).toEqual([
      '10 % 2m + approval by 2',
      'webhook ci.example.com',
      'what matches 1h',
      'hold 5m',
      'bake 1m',
    ])
    expect(await card.locator('.block.later .step').allTextContents()).toEqual(['copies of 50 % 1h', 'bake 10m'])
    const text = await card.textContent()
    for (const words of [
      '1 of 2 approved (<b>Grace</b>). Dana, who started it, may not approve.',
      '<b>Grace</b> broke the glass: checkout is down',
      'Webhook: <i>503</i>. Calls of the webhook: 2, the next at',
      'harm freezes',
    ])
      expect(text).toContain(words)
    expect(await card.locator('b, i').count()).toBe(0)
    expect(await card.locator('.meter').count()).toBe(1)
  })

  it('the reference shows every operation and lets one be tried with the same token', async () => {
    await page.goto(`${served.url}/docs`)
    await page.waitForSelector('#problem-RolloutInFlight')
    expect(await page.locator('.operation').count()).toBe(ROUTES.length)
    const card = page.locator('#getService')
    await card.locator('> summary').click()
    await card.locator('summary', { hasText: 'Try it' }).click()
    await card.locator('input[name=namespace]').fill('shop')
    await card.locator('input[name=name]').fill('web')
    await card.locator('button', { hasText: 'Send' }).click()
    await card.locator('pre', { hasText: '200 OK' }).waitFor()
    expect(await card.locator('pre').textContent()).toContain('"team": "shop"')
  })
})

/** The way in behind a plain HTTP server. */
async function serve({ deps }: World): Promise<{ readonly url: string; close(): void }> {
  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? '/', 'http://localhost')
    const answer = await handle(deps, {
      method: request.method ?? 'GET',
      path: url.pathname,
      query: url.searchParams,
      headers: request.headers as Readonly<Record<string, string>>,
      baseUrl: `http://${request.headers.host}`,
      body: async () => new Uint8Array(),
    })
    response.writeHead(answer.status, answer.headers).end(answer.body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}`, close: () => server.close() }
}
