/** Where the demo writes to: `process.stdout` fits. */
export interface Output {
  readonly isTTY?: boolean
  readonly columns?: number
  write(text: string): unknown
}

/** A log with a live block below it. */
export interface Screen {
  /** True: the live block is drawn anew in place. False: its lines are written once, when they are new. */
  readonly isLive: boolean
  /** Characters in a line, as the terminal is now. */
  readonly columns: number
  /** A line that stays. */
  say(line: string): void
  /** The live block. */
  show(lines: readonly string[]): void
  /** The live block as it is stays; the next one begins below. */
  keep(): void
  /** Gives the terminal back as it was. */
  close(): void
}

const HIDE_CURSOR = '\x1b[?25l'
const SHOW_CURSOR = '\x1b[?25h'
// A line that is too long must stay one line, or the next picture would begin too low.
const CUT_LINES = '\x1b[?7l'
const WRAP_LINES = '\x1b[?7h'
const USUAL_COLUMNS = 80
const CLEAR_BELOW = '\x1b[J'

/** A screen on a terminal, redrawn in place by ANSI sequences; on anything else plain lines. */
export function screenOn(output: Output): Screen {
  return output.isTTY === true ? terminal(output) : plain(output)
}

function terminal(output: Output): Screen {
  let drawn: readonly string[] = []
  const back = () => (drawn.length === 0 ? '' : `\x1b[${drawn.length}A\r${CLEAR_BELOW}`)
  const block = (lines: readonly string[]) => lines.map((line) => `${line}\n`).join('')
  output.write(HIDE_CURSOR + CUT_LINES)
  return {
    isLive: true,
    get columns() {
      return output.columns ?? USUAL_COLUMNS
    },
    say(line) {
      // What stays may take more than one line.
      output.write(`${back()}${WRAP_LINES}${line}\n${CUT_LINES}${block(drawn)}`)
    },
    show(lines) {
      output.write(back() + block(lines))
      drawn = lines
    },
    keep() {
      drawn = []
    },
    close() {
      output.write(WRAP_LINES + SHOW_CURSOR)
    },
  }
}

function plain(output: Output): Screen {
  let shown: readonly string[] = []
  return {
    isLive: false,
    columns: USUAL_COLUMNS,
    say(line) {
      output.write(`${line}\n`)
    },
    show(lines) {
      for (const line of lines) if (!shown.includes(line)) output.write(`${line}\n`)
      shown = lines
    },
    keep() {
      shown = []
    },
    close() {},
  }
}
