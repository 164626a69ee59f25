import { describe, expect, it } from 'vitest'
import { screenOn } from '../../../../src/sandbox/demo/screen.ts'

const CURSOR = '25'
const WRAP = '7'
const SEQUENCE = new RegExp(`${'\x1b'}\\[(?:\\?(\\d+)([lh])|(J)|(\\d+)A)|([^${'\x1b'}]+)`, 'g')

/** What a terminal would show, as far as the screen's sequences go, and which of its modes are off. */
function terminal(columns = 80) {
  const lines: string[] = ['']
  const off = new Set<string>()
  const print = (text: string) => {
    for (const [index, part] of text.replaceAll('\r', '').split('\n').entries())
      if (index > 0 || lines.length === 0) lines.push(part)
      else lines.push(`${lines.pop()}${part}`)
  }
  const write = (text: string) => {
    for (const [, mode, state, clear, up, plain] of text.matchAll(SEQUENCE)) {
      if (mode !== undefined && state === 'l') off.add(mode)
      if (mode !== undefined && state === 'h') off.delete(mode)
      if (up !== undefined) lines.splice(lines.length - Number(up))
      if (clear !== undefined) lines.splice(lines.length - 1, 1, '')
      if (plain !== undefined) print(plain)
    }
  }
  return { output: { isTTY: true, columns, write }, shown: () => lines.filter((line) => line !== ''), off }
}

describe('on a terminal', () => {
  it('draws the live block in place, whatever its height, below what stays', () => {
    const { output, shown } = terminal()
    const screen = screenOn(output)
    screen.say('first')
    screen.show(['a 10 %', 'b 90 %'])
    screen.show(['a 50 %', 'b 50 %', 'more'])
    expect(shown()).toEqual(['first', 'a 50 %', 'b 50 %', 'more'])
    screen.show(['a 100 %'])
    expect(shown()).toEqual(['first', 'a 100 %'])
    screen.say('second')
    expect(shown()).toEqual(['first', 'second', 'a 100 %'])
  })

  it('keeps a block when told to and begins the next below', () => {
    const { output, shown } = terminal()
    const screen = screenOn(output)
    screen.show(['one'])
    screen.keep()
    screen.show(['two'])
    screen.show(['three'])
    expect(shown()).toEqual(['one', 'three'])
  })

  it('gives the terminal back as it was', () => {
    const { output, off } = terminal()
    const screen = screenOn(output)
    screen.say('text')
    expect([...off]).toEqual([CURSOR, WRAP])
    screen.close()
    expect([...off]).toEqual([])
  })

  it('knows its width as it is now', () => {
    const { output } = terminal(132)
    expect(screenOn(output).columns).toBe(132)
  })
})

describe('on anything else', () => {
  it('writes each line of the live block when it is new, and no escape sequence', () => {
    let text = ''
    const screen = screenOn({
      write: (part: string) => {
        text += part
      },
    })
    screen.say('first')
    screen.show(['a 10 %', 'b 90 %'])
    screen.show(['a 10 %', 'b 80 %'])
    screen.keep()
    screen.show(['a 10 %'])
    screen.close()
    expect(text).toBe('first\na 10 %\nb 90 %\nb 80 %\na 10 %\n')
    expect(screen.isLive).toBe(false)
  })
})
