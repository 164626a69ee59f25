import { succeed } from '../../model/failure.ts'
import type { Page } from '../pages/page.ts'
import { type Answer, type Route, route } from '../route.ts'

/** Documents and pages are built at their first call: a cold start that serves the API loads none of them. */
let openApi: string | undefined

const html = { description: 'A page that loads nothing from outside', contentType: 'text/html' }
const common = { method: 'GET', tag: 'Pages', access: 'open' } as const

export const PAGE_ROUTES: readonly Route[] = [
  route({
    ...common,
    path: '/openapi.json',
    root: 'both',
    operationId: 'getOpenApi',
    summary: 'This document',
    answers: { 200: { description: 'OpenAPI 3.1', contentType: 'application/json' } },
    async handle() {
      const { buildOpenApi } = await import('../openapi/build-openapi.ts')
      openApi ??= JSON.stringify(buildOpenApi())
      return succeed({ status: 200, headers: { 'content-type': 'application/json' }, body: openApi })
    },
  }),
  route({
    ...common,
    path: '/docs',
    root: 'both',
    operationId: 'getDocs',
    summary: 'This document made readable',
    answers: { 200: html },
    handle: async () => succeed(pageAnswer((await import('../pages/docs-page.ts')).docsPage())),
  }),
  route({
    ...common,
    path: '/',
    root: 'only',
    operationId: 'getDashboard',
    summary: 'The dashboard',
    answers: { 200: html },
    handle: async () => succeed(pageAnswer((await import('../pages/dashboard-page.ts')).dashboardPage())),
  }),
]

function pageAnswer(page: Page): Answer {
  return { status: 200, headers: page.headers, body: page.html }
}
