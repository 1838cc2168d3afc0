import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { onTestFinished } from 'vitest'

/** A page of the documentation, whose code the tests execute. */
export interface Page {
  readonly text: string
  /** The code of the page under this name: what stands after the language of its fence. */
  codeOf(language: string, name: string): string
}

export function readPage(file: string): Page {
  const text = readFileSync(new URL(`../../docs/${file}`, import.meta.url), 'utf8')
  return {
    text,
    codeOf(language, name) {
      const [, code] = new RegExp(`^\`\`\`${language} ${name}\n(.*?)^\`\`\`$`, 'ms').exec(text) ?? []
      if (code === undefined) throw new Error(`the page has no ${name} in ${language}`)
      return code
    },
  }
}

/** Runs a program in Python, until the test ends; resolves when it has printed a line that begins with this word. */
export async function startPython(code: string, word: string, env: Record<string, string>): Promise<void> {
  const child = spawn('python3', ['-c', code], {
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { ...process.env, ...env },
  })
  const exited = once(child, 'exit')
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await exited
  })
  for await (const line of createInterface({ input: child.stdout })) if (line.startsWith(word)) return
  throw new Error('the program of the page ended without a word')
}
