import { DOCS_SCRIPT } from './docs-script.ts'
import { buildPage, type Page } from './page.ts'
import { BASE_SCRIPT, BASE_STYLE, TOKEN_FORM } from './style.ts'

const STYLE = `
.columns { display: grid; grid-template-columns: 16rem minmax(0, 1fr); gap: 2rem; max-width: 84rem; margin: 0 auto; padding: 0 1.5rem 3rem; }
nav { position: sticky; top: 4rem; align-self: start; max-height: calc(100vh - 5rem); overflow: auto; padding: 1rem 0; font-size: .9rem; }
nav a { display: block; text-decoration: none; color: inherit; padding: .12rem 0; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
nav a:hover { color: var(--accent); }
nav b { display: block; margin: .8rem 0 .2rem; }
.operation { padding: 0; scroll-margin-top: 4.5rem; margin-bottom: .6rem; }
.operation > summary { display: flex; gap: .8rem; align-items: baseline; padding: .6rem 1rem; cursor: pointer; flex-wrap: wrap; }
.operation > div { padding: 0 1rem 1rem; border-top: 1px solid var(--line); }
.method { font: 600 12px/1.6 ui-monospace, Menlo, monospace; min-width: 4rem; text-align: center; border-radius: 5px; color: #fff; background: #4a5563; }
.GET { background: #2457c5; } .POST { background: #1a7f4b; } .PUT { background: #9a6200; } .PATCH { background: #7a5bb0; } .DELETE { background: #b3261e; }
h3 { font-size: .92rem; margin: 1rem 0 .3rem; }
.tree { margin: 0; padding-left: 1.1rem; list-style: none; border-left: 1px solid var(--line); font-size: .9rem; }
.tree li { padding: .1rem 0; }
.name { font-weight: 600; }
.try label { display: grid; grid-template-columns: 12rem 1fr; gap: .6rem; margin: .25rem 0; align-items: center; font-size: .9rem; }
#problems td:first-child { scroll-margin-top: 5rem; }
@media (max-width: 52rem) { .columns { grid-template-columns: 1fr; } nav { display: none; } }
`

const BODY = `<header><h1>Meshwright API</h1><a href="/">Dashboard</a><a href="/openapi.json">openapi.json</a>
<span class="fill"></span>${TOKEN_FORM}</header>
<div class="columns"><nav id="nav" aria-label="Operations"></nav><main>
<p id="about" class="soft">Loading the description of the API …</p>
<div id="operations"></div>
<h2 id="problems-title">Problems</h2><div class="card"><table><thead><tr><th>Code</th><th>Status</th><th>What it is</th><th>Way out</th></tr></thead><tbody id="problems"></tbody></table></div>
</main></div>`

/** The reference: the OpenAPI document made readable, with a form to try each operation. */
export function docsPage(): Page {
  return buildPage({
    title: 'Meshwright API',
    style: BASE_STYLE + STYLE,
    script: BASE_SCRIPT + DOCS_SCRIPT,
    body: BODY,
  })
}
