import { existsSync, mkdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Browser, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { certificateStory } from '../../src/chat/cards/certificate-story.ts'
import { rolloutStory } from '../../src/chat/cards/rollout-story.ts'
import type { Story } from '../../src/chat/cards/story.ts'
import { teamsMessage } from '../../src/chat/cards/teams-card.ts'
import { aHarmfulRollout, anEvent } from '../unit/chat/cards/a-story.ts'

const CHROMIUM = '/usr/bin/chromium'
const SWITCHES = ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--no-first-run']
/** The pictures are for people to look at. */
const PICTURES = join(tmpdir(), 'meshwright-cards')
const LIBRARY = createRequire(import.meta.url).resolve('adaptivecards/dist/adaptivecards.min.js')
const isThere = existsSync(CHROMIUM)
if (!isThere && process.env.CI === 'true') throw new Error(`cards: there is no ${CHROMIUM}`)
if (!isThere) console.warn(`skipped: cards: there is no ${CHROMIUM}`)

/** Colours and distances about as in Teams. */
const HOST_CONFIG = {
  fontFamily: 'Segoe UI, sans-serif',
  spacing: { small: 8, default: 12, medium: 16, large: 20, extraLarge: 24, padding: 16 },
  supportsInteractivity: true,
  containerStyles: {
    good: { backgroundColor: '#E7F2DA' },
    attention: { backgroundColor: '#FCF4F6' },
    warning: { backgroundColor: '#FBF6D9' },
    emphasis: { backgroundColor: '#FAF9F8' },
  },
}

const SITE = 'https://mesh.example.com'
const EVIL = 'see [here](https://evil.example) <img src=x onerror=alert(1)> **now**'

describe.skipIf(!isThere)('cards in Chromium', () => {
  let browser: Browser
  let page: Page
  const trouble: string[] = []

  beforeAll(async () => {
    mkdirSync(PICTURES, { recursive: true })
    browser = await chromium.launch({ executablePath: CHROMIUM, args: SWITCHES })
    page = await browser.newPage({ viewport: { width: 620, height: 700 } })
    page.on('pageerror', (error) => trouble.push(error.message))
    page.on('request', (request) => trouble.push(request.url()))
    await page.setContent('<!doctype html><meta charset=utf-8><body style="background:#f5f5f5;margin:12px"></body>')
    await page.addScriptTag({ path: LIBRARY })
  })
  afterAll(async () => {
    await browser?.close()
    expect(trouble).toEqual([])
  })

  async function show(name: string, story: Story): Promise<string> {
    const { attachments } = teamsMessage(story) as { attachments: readonly { content: unknown }[] }
    await page.evaluate(
      `(([card, config]) => {
        const { AdaptiveCard, HostConfig } = window.AdaptiveCards
        const parsed = new AdaptiveCard()
        parsed.hostConfig = new HostConfig(config)
        parsed.parse(card)
        const frame = document.createElement('div')
        frame.style.cssText = 'background:#fff;border:1px solid #ddd;border-radius:4px'
        frame.append(parsed.render())
        document.body.replaceChildren(frame)
      })(${JSON.stringify([attachments[0]?.content, HOST_CONFIG])})`,
    )
    await page.screenshot({ path: join(PICTURES, `${name}.png`), fullPage: true })
    return (await page.textContent('body')) ?? ''
  }

  it('show what happened, the decision in numbers and what one may go to', async () => {
    const text = await show('harm', rolloutStory('n1', anEvent('rollout.rolling-back'), aHarmfulRollout(), SITE))
    for (const part of [
      'harm seen, v2 is being rolled back',
      '█████░░░░░',
      '50 % v2',
      '12 of 240 bad (5 %)',
      'Evidence',
    ])
      expect(text).toContain(part)
  })

  it('show a promotion and a certificate', async () => {
    const good = anEvent('rollout.succeeded', { reason: 'Baked', message: 'v2 is stable after 10m of baking.' })
    expect(await show('promoted', rolloutStory('n2', good, aHarmfulRollout(), SITE))).toContain('v2 was promoted')
    const event = anEvent('certificate.near-expiry', {
      subject: 'certificates/web-tls',
      reason: 'NearExpiry',
      message: 'The certificate ends in 7 days and no rotation is under way.',
    })
    expect(await show('certificate', certificateStory('n3', event, undefined, SITE))).toContain('web-tls ends soon')
  })

  it('show words of others as they are: no link, no picture, no format', async () => {
    const actor = { kind: 'person', id: 'p', name: EVIL } as const
    const text = await show(
      'evil',
      rolloutStory('n4', anEvent('rollout.paused', { message: EVIL, actor }), undefined, SITE),
    )
    expect(text).toContain(EVIL)
    expect(await page.locator('img, a, strong').count()).toBe(0)
  })
})
