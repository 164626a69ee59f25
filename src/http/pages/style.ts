/** Look of both pages: light and dark by the reader's setting. */
export const BASE_STYLE = `
:root {
  color-scheme: light dark;
  --back: #f6f7f9; --card: #fff; --text: #1b1f24; --soft: #5b6470; --line: #dde1e6; --accent: #2457c5;
  --good: #1a7f4b; --warn: #9a6200; --bad: #b3261e; --stable: #8fb0e8; --candidate: #f2a65a; --code: #eef0f3;
}
@media (prefers-color-scheme: dark) {
  :root {
    --back: #14171b; --card: #1d2126; --text: #e6e9ed; --soft: #9aa4b0; --line: #323941; --accent: #7aa5f7;
    --good: #5fc992; --warn: #e0b355; --bad: #f2877f; --stable: #4d6fae; --candidate: #c97b2f; --code: #272c33;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--back); color: var(--text); font: 15px/1.5 system-ui, "Segoe UI", sans-serif; }
a { color: var(--accent); }
header { display: flex; gap: 1rem; align-items: center; flex-wrap: wrap; padding: .8rem 1.5rem; background: var(--card);
  border-bottom: 1px solid var(--line); position: sticky; top: 0; z-index: 1; }
header h1 { font-size: 1.1rem; margin: 0; }
header .fill { flex: 1; }
h2 { font-size: 1.05rem; margin: 1.6rem 0 .6rem; }
code, pre, textarea, .mono { font: 13px/1.45 ui-monospace, "Cascadia Code", Menlo, Consolas, monospace; }
code { background: var(--code); border-radius: 4px; padding: 0 .25em; }
pre { background: var(--code); border-radius: 6px; padding: .7rem; overflow: auto; margin: .4rem 0; max-height: 28rem; }
input, textarea, button { font: inherit; color: inherit; background: var(--back); border: 1px solid var(--line);
  border-radius: 6px; padding: .3rem .6rem; }
textarea { width: 100%; min-height: 9rem; font: 13px/1.45 ui-monospace, Menlo, Consolas, monospace; }
button { cursor: pointer; background: var(--accent); border-color: var(--accent); color: var(--card); }
button.quiet { background: none; color: var(--accent); }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 1px; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .4rem .7rem; border-bottom: 1px solid var(--line); vertical-align: top; }
th { font-weight: 600; color: var(--soft); font-size: .85rem; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 1rem 1.2rem; margin: 0 0 1rem; }
.soft { color: var(--soft); }
.small { font-size: .87rem; }
.row { display: flex; gap: .6rem; align-items: center; flex-wrap: wrap; }
.chip { display: inline-block; border-radius: 99px; padding: 0 .6rem; font-size: .82rem; border: 1px solid var(--line);
  white-space: nowrap; }
.good { color: var(--good); border-color: currentColor; }
.warn { color: var(--warn); border-color: currentColor; }
.bad { color: var(--bad); border-color: currentColor; }
`

/** The field for the token, and what both scripts do with it. Kept by the browser until the tab is closed. */
export const TOKEN_FORM = `<form id="token-form" class="row">
<label for="token" class="soft small">Token</label>
<input id="token" type="password" size="28" autocomplete="off" spellcheck="false" placeholder="Entra ID access token">
<button>Use</button><button type="button" class="quiet" id="forget">Forget</button>
</form>`

/** Functions that both scripts use. Data only ever becomes text, never markup. */
export const BASE_SCRIPT = `
'use strict'
const KEY = 'meshwright.token'
const byId = (id) => document.getElementById(id)
const token = () => sessionStorage.getItem(KEY) || ''
function el(tag, attributes, ...children) {
  const node = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes || {})) {
    if (name === 'class') node.className = value
    else if (name.startsWith('on')) node.addEventListener(name.slice(2), value)
    else if (value !== undefined && value !== false) node.setAttribute(name, value === true ? '' : value)
  }
  for (const child of children.flat()) {
    if (child !== undefined && child !== null && child !== false) node.append(child)
  }
  return node
}
const chip = (text, tone, title) => el('span', { class: 'chip ' + (tone || ''), title: title }, text)
function onToken(changed) {
  byId('token').value = token()
  byId('token-form').addEventListener('submit', (event) => {
    event.preventDefault()
    sessionStorage.setItem(KEY, byId('token').value.trim())
    changed()
  })
  byId('forget').addEventListener('click', () => {
    sessionStorage.removeItem(KEY)
    byId('token').value = ''
    changed()
  })
}
`
