import { contentHash } from '../content-hash.ts'

interface Colours {
  readonly back: string
  readonly ink: string
  readonly soft: string
  readonly line: string
  readonly stable: string
  readonly candidate: string
  readonly good: string
  readonly warn: string
  readonly bad: string
}

const LIGHT: Colours = {
  back: '#ffffff',
  ink: '#1b1f24',
  soft: '#5b6470',
  line: '#dde1e6',
  stable: '#2457c5',
  candidate: '#b85a00',
  good: '#1a7f4b',
  warn: '#9a6200',
  bad: '#b3261e',
}
const DARK: Colours = {
  back: '#14171b',
  ink: '#e6e9ed',
  soft: '#9aa4b0',
  line: '#323941',
  stable: '#7aa5f7',
  candidate: '#f2a65a',
  good: '#5fc992',
  warn: '#e0b355',
  bad: '#f2877f',
}

/** Plain classes and no variables: programs that are no browsers draw it too, in the colours for light. */
export const EVIDENCE_STYLE = `text{font:12px system-ui,"Segoe UI",sans-serif}
.head{font-size:17px;font-weight:600}.name{font-weight:600}.small{font-size:11px}.number{font-size:10px;font-weight:600}
.grid,.frame,.asked,.line,.hair,.limit,.bar{fill:none}.band{stroke:none;opacity:.18}.wave{stroke:none;opacity:.35}
.grid,.frame{stroke-width:1}.asked{stroke-width:1.5}.line{stroke-width:1.6;stroke-linejoin:round;stroke-linecap:round}
.hair{stroke-width:1;stroke-dasharray:2 3;opacity:.7}.limit,.bar{stroke-width:1.2;stroke-dasharray:6 4}.dots{stroke-width:4}
${rules(LIGHT)}
@media (prefers-color-scheme:dark){${rules(DARK)}}`

/** A browser that shows the picture by itself lets it have its own style and nothing else. */
export const EVIDENCE_HEADERS = {
  'content-type': 'image/svg+xml; charset=utf-8',
  'content-security-policy': `default-src 'none'; style-src ${contentHash(EVIDENCE_STYLE)}; frame-ancestors 'none'`,
}

function rules({ back, ink, soft, line, stable, candidate, good, warn, bad }: Colours): string {
  const tones = Object.entries({ stable, candidate, good, warn, bad, soft })
    .map(([name, colour]) => `.f-${name}{fill:${colour}}.s-${name}{stroke:${colour}}`)
    .join('')
  return `.back{fill:${back}}text{fill:${ink}}.soft{fill:${soft}}.number{fill:${back}}.grid,.frame{stroke:${line}}.wave{fill:${line}}.limit,.bar{stroke:${bad}}.on-line{stroke:${back};stroke-width:3px;paint-order:stroke}${tones}`
}
