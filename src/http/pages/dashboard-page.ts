import { DASHBOARD_SCRIPT } from './dashboard-script.ts'
import { buildPage, type Page } from './page.ts'
import { ROLLOUT_SCRIPT } from './rollout-script.ts'
import { BASE_SCRIPT, BASE_STYLE, TOKEN_FORM } from './style.ts'

const STYLE = `
main { max-width: 76rem; margin: 0 auto; padding: .5rem 1.5rem 3rem; }
.title { font-weight: 600; font-size: 1.05rem; }
.bar { position: relative; height: 1.5rem; border-radius: 6px; overflow: hidden; background: var(--stable); flex: 1; min-width: 9rem; }
.bar .part { position: absolute; right: 0; top: 0; bottom: 0; background: var(--candidate); transition: width .6s; }
.bar .words { position: absolute; inset: 0; display: flex; justify-content: space-between; padding: 0 .6rem;
  align-items: center; font-size: .82rem; color: #101418; }
@media (prefers-color-scheme: dark) { .bar .words { color: #fff; } }
.target { display: grid; grid-template-columns: 11rem 1fr 9rem; gap: .8rem; align-items: center; margin: .35rem 0; }
.steps { display: flex; gap: .3rem; margin: .5rem 0; flex-wrap: wrap; }
.step { border: 1px solid var(--line); border-radius: 6px; padding: 0 .5rem; font-size: .82rem; color: var(--soft); }
.step.done { color: var(--good); border-color: currentColor; }
.step.now { color: var(--card); background: var(--accent); border-color: var(--accent); }
.wave { margin-top: .7rem; font-weight: 600; }
.block { border-left: 3px solid var(--line); padding-left: .8rem; margin: .5rem 0; }
.block.later { opacity: .65; }
.accent { color: var(--accent); border-color: currentColor; }
.meters { display: flex; gap: 1.2rem; flex-wrap: wrap; color: var(--soft); }
.meter .track { display: inline-block; width: 6rem; height: .5rem; border-radius: 4px; background: var(--code); overflow: hidden; }
.meter .level { display: block; height: 100%; background: var(--warn); }
.meter .level.over { background: var(--bad); }
.verdict { display: grid; grid-template-columns: 11rem 1fr; gap: .8rem; margin: .25rem 0; }
summary { cursor: pointer; color: var(--soft); font-size: .87rem; }
.history { margin: .3rem 0 0; padding: 0; list-style: none; }
.history li { display: grid; grid-template-columns: 11rem 14rem 1fr; gap: .8rem; padding: .15rem 0; font-size: .87rem; }
@media (max-width: 46rem) { .target, .verdict, .history li { grid-template-columns: 1fr; gap: .1rem; } }
.picture { display: block; max-width: 100%; height: auto; margin: .4rem 0; }
.scroll { overflow-x: auto; }
`

const BODY = `<header><h1>Meshwright</h1><a href="/docs">API</a><span id="state" class="soft small" role="status"></span>
<span class="fill"></span>${TOKEN_FORM}</header>
<main>
<p id="hint" class="card">Paste an access token to see clusters, services and rollouts. It stays in this tab.</p>
<div id="content" hidden>
<h2>Live rollouts</h2><div id="live"></div>
<h2>Services</h2><div class="card scroll"><table><thead><tr><th>Service</th><th>Team</th><th>Stable</th><th>Carried out</th><th>Conditions</th></tr></thead><tbody id="services"></tbody></table></div>
<h2>Clusters</h2><div class="card scroll"><table><thead><tr><th>Cluster</th><th>Mode</th><th>Mesh</th><th>Kubernetes</th><th>Conditions</th></tr></thead><tbody id="clusters"></tbody></table></div>
<h2>Ended rollouts</h2><div class="card scroll"><table><thead><tr><th>Service</th><th>Candidate</th><th>End</th><th>Why</th><th>When</th></tr></thead><tbody id="ended"></tbody></table></div>
</div>
</main>`

/** The dashboard: what runs now, by polling the API with the reader's token. */
export function dashboardPage(): Page {
  return buildPage({
    title: 'Meshwright',
    style: BASE_STYLE + STYLE,
    script: BASE_SCRIPT + ROLLOUT_SCRIPT + DASHBOARD_SCRIPT,
    body: BODY,
  })
}
