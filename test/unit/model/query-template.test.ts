import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { promqlProblem } from '../../../src/adapters/promql.ts'
import {
  parseTemplate,
  placeholdersOf,
  type QueryLanguage,
  type QueryNames,
  renderQuery,
} from '../../../src/model/query-template.ts'
import { kqlProblem } from '../../../src/model/read-only-kql.ts'
import { tokensOf } from '../../../src/sandbox/emulators/azure-monitor/kql/tokens.ts'
import { parseExpression } from '../../../src/sandbox/emulators/prometheus/parse.ts'

const NAMES: QueryNames = {
  service: 'web',
  namespace: 'shop',
  cluster: 'east',
  version: 'v2',
  stable: 'v1',
  window: 90_000,
}

function render(language: QueryLanguage, text: string, names: Partial<QueryNames> = {}): string {
  const parsed = parseTemplate(language, text)
  if (!parsed.ok) throw new Error(`${parsed.problem.offset}: ${parsed.problem.reason}`)
  return renderQuery(parsed.template, { ...NAMES, ...names })
}

function problemOf(language: QueryLanguage, text: string) {
  const parsed = parseTemplate(language, text)
  return parsed.ok ? undefined : parsed.problem
}

/** Any text: quotes, backslashes, line ends and halves of surrogate pairs among it. */
const anyName = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({
    unit: fc.constantFrom('"', "'", '`', '\\', '\n', '\r', '{', '}', ')', '#', '/', '|', ';', 'a', '\ud800'),
  }),
)

describe('a template', () => {
  it('has names in its strings and the window where a length of time stands', () => {
    const text = 'sum(increase(x{a="{{service}}.{{ namespace }}",b=\'{{version}}\'}[{{window}}])) # all'
    expect(render('promql', text)).toBe('sum(increase(x{a="web.shop",b=\'v2\'}[90s])) # all')
    expect(render('promql', 'x[{{window}}]', { window: 1500 })).toBe('x[1500ms]')
    expect(
      render('kql', 'T | where a == "{{cluster}}" and b != \'{{stable}}\' | summarize by bin(t, {{window}})'),
    ).toBe('T | where a == "east" and b != \'v1\' | summarize by bin(t, 90s)')
  })

  it('tells which placeholders it holds', () => {
    const parsed = parseTemplate('promql', 'x{a="{{version}}"}[{{window}}]')
    expect(parsed.ok && [...placeholdersOf(parsed.template)]).toEqual(['version', 'window'])
  })

  it.each([
    ['promql', 'x{a="{{verison}}"}', 5, '{{verison}} is no placeholder'],
    ['promql', 'x{a={{version}}}', 4, '{{version}} must stand inside of a string'],
    ['promql', '{{service}}', 0, 'must stand inside of a string'],
    ['promql', 'x[{{widnow}}]', 2, 'is no placeholder'],
    ['promql', 'x{a="{{window}}"}', 5, '{{window}} must stand outside of strings'],
    ['promql', 'x # {{version}}', 2, 'comments can hold no placeholders'],
    ['promql', 'x{a="b}', 4, 'has no end'],
    ['promql', 'x{a="b\n{{version}}"}', 4, 'has no end'],
    ['promql', 'x{a="\\{{version}}"}', 5, 'a backslash must not stand before a placeholder'],
    ['kql', 'T | where a == {{version}}', 15, 'must stand inside of a string'],
    ['kql', 'T // {{version}}', 2, 'comments can hold no placeholders'],
    ['kql', 'T | where a == "b', 15, 'has no end'],
    ['kql', 'T | where a == @"b\\"', undefined, ''],
    ['promql', 'x{a="\\\\{{version}}"}', undefined, ''],
  ] as const)('in %s, %s: %s %s', (language, text, offset, reason) => {
    const problem = problemOf(language, text)
    expect(problem?.offset).toBe(offset)
    expect(problem?.reason ?? '').toContain(reason)
  })

  it('means a name by itself where a pattern stands', () => {
    expect(render('promql', 'x{a=~"{{version}}-.*",b="{{version}}"}', { version: '1.2' })).toBe(
      'x{a=~"1\\\\.2-.*",b="1.2"}',
    )
    expect(render('kql', 'T | where a matches regex "^{{version}}$" and b =~ "{{version}}"', { version: '1.2' })).toBe(
      'T | where a matches regex "^1\\\\.2$" and b =~ "1.2"',
    )
  })

  it('turns raw and verbatim strings with names in them into quoted ones', () => {
    expect(render('promql', 'x{a=`\\d"{{version}}`}')).toBe('x{a="\\\\d\\"v2"}')
    expect(render('kql', 'T | where a == @"c:\\{{version}}\\""x"')).toBe('T | where a == "c:\\\\v2\\\\\\"x"')
    expect(render('kql', "T | where a == h@'{{version}}'''")).toBe('T | where a == h"v2\\\'"')
    expect(render('kql', 'T | where a == ```{{version}}\n"```')).toBe('T | where a == "v2\\u000a\\""')
  })
})

describe('no name can leave its string', () => {
  it.each(['"{{version}}"', "'{{version}}'", '`{{version}}`', '"a\\"{{version}}\\\\"'])('in PromQL: %s', (literal) => {
    const around = parseExpression(`x{a=${literal.replace('{{version}}', 'N')}}`)
    const [, text = ''] = around.kind === 'selector' ? around.matchers.map(({ value }) => value) : []
    fc.assert(
      fc.property(anyName, (version) => {
        const query = render('promql', `sum(x{a=${literal},b="c"})`, { version })
        const parsed = parseExpression(query)
        const selector = parsed.kind === 'sum' && parsed.operand.kind === 'selector' ? parsed.operand : undefined
        expect(selector?.matchers.map((matcher) => [matcher.label, matcher.value])).toEqual([
          ['__name__', 'x'],
          ['a', text.replace('N', () => version.toWellFormed())],
          ['b', 'c'],
        ])
      }),
    )
  })

  it('in a pattern of PromQL, where it matches itself alone', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: 'grapheme-ascii' }),
        fc.string({ unit: 'grapheme-ascii' }),
        async (version, other) => {
          const query = render('promql', 'x{a=~"{{version}}"}', { version })
          expect(await promqlProblem(query)).toBeUndefined()
          const parsed = parseExpression(`${query} or y`)
          const matcher =
            parsed.kind === 'binary' && parsed.left.kind === 'selector' ? parsed.left.matchers[1] : undefined
          expect([matcher?.passes(version), matcher?.passes(other)]).toEqual([true, other === version])
        },
      ),
    )
  })

  it.each(['"{{version}}"', "'{{version}}'", '@"{{version}}"', "@'{{version}}'", '```{{version}}```'])(
    'in KQL: %s',
    (literal) => {
      fc.assert(
        fc.property(anyName, (version) => {
          const query = render('kql', `T | where a == ${literal} and b == "c"`, { version })
          expect(tokensOf(query).map(({ text }) => text)).toEqual([
            ...['T', '|', 'where', 'a', '==', version, 'and', 'b', '==', 'c'],
          ])
          expect(kqlProblem(query)).toBeUndefined()
        }),
      )
    },
  )
})

describe('KQL of one’s own', () => {
  it.each([
    'AppRequests | count',
    'let limit = 300; AppRequests | where DurationMs > limit | count',
    'AppRequests | where Name == "workspace(\'x\'); .drop table" | count // cluster("x")',
    'AppRequests | where App in ("a", "b") | summarize countif(Success == false);',
  ])('is taken when it reads the workspace alone: %s', (query) => {
    expect(kqlProblem(query)).toBeUndefined()
  })

  it.each([
    ['.drop table T', 0, 'management commands'],
    ['let a = 1;\n.show tables', 11, 'management commands'],
    ['// c\n.show tables', 5, 'management commands'],
    ['T | count; U | count', 0, 'must be let'],
    ['set notruncation; T | count', 0, 'must be let'],
    ['let a = 1', 0, 'gives none'],
    ['', 0, 'must hold a query'],
    ['// nothing', 0, 'must hold a query'],
    ['union T, workspace("x").T | count', 9, 'workspace() reads from elsewhere'],
    ['let f = () { Cluster ("x").database("y").T }; f | count', 13, 'cluster() reads from elsewhere'],
    ['app("x").requests | count', 0, 'app() reads from elsewhere'],
    ['resource("x").T | count', 0, 'resource() reads from elsewhere'],
    ['adx("x/y").T | count', 0, 'adx() reads from elsewhere'],
    ['arg("").Resources | count', 0, 'arg() reads from elsewhere'],
    ['externaldata(a: string) ["https://example.com"] | count', 0, 'externaldata() reads from elsewhere'],
    ['external_table("x") | count', 0, 'external_table() reads from elsewhere'],
    ['["workspace"]("x").T | count', 12, 'a name in brackets must not be called'],
    ['T | evaluate http_request("https://example.com")', 4, 'evaluate runs plugins'],
    ['T | invoke f()', 4, 'invoke runs functions'],
  ])('is refused: %s', (query, offset, reason) => {
    const problem = kqlProblem(query)
    expect(problem?.reason).toContain(reason)
    expect(problem?.offset).toBe(offset)
  })
})

describe('PromQL of one’s own', () => {
  it.each([
    ['sum(increase(x{a="b"}[1m]', 25, 'ends too early'],
    ['sum(x) by', 9, 'ends too early'],
    ['', 0, 'ends too early'],
    ['x{a=b}', 4, 'does not parse at "b}"'],
    ['nope(x)', 4, 'does not parse at "(x)"'],
  ])('is refused where it does not parse: %s', async (query, offset, reason) => {
    const problem = await promqlProblem(query)
    expect(problem?.reason).toContain(reason)
    expect(problem?.offset).toBe(offset)
  })
})
