import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { LAUNCH_TIMEOUT_MS, launchChromium } from '../support/chromium.ts'
import { KEY, RUN_ID, startTestServer, type TestServer } from './graphiql-test-server.ts'

let server: TestServer
let browser: Browser
let page: Page
let requests: string[]
let complaints: string[]

beforeAll(async () => {
  server = await startTestServer()
  browser = await launchChromium()
}, LAUNCH_TIMEOUT_MS)
afterAll(async () => {
  await browser?.close()
  await server?.stop()
})

beforeEach(async () => {
  await page?.context().close()
  page = await browser.newPage({ viewport: { width: 1440, height: 900 } })
  requests = []
  complaints = []
  page.on('request', (request) => requests.push(request.url()))
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()))
  page.on('pageerror', (error) => complaints.push(String(error)))
})

const status = () => page.locator('#key-status')
const answer = () => page.locator('.graphiql-response .view-lines')
const execute = () => page.getByRole('button', { name: /Execute query/ }).click()
const docs = () => page.locator('.graphiql-doc-explorer')

async function open(hash = ''): Promise<void> {
  await page.goto(server.url + hash)
  await page.locator('.graphiql-query-editor .view-line').first().waitFor()
}

async function enter(key: string): Promise<void> {
  await page.getByLabel('API key', { exact: true }).fill(key)
  await page.keyboard.press('Enter')
}

/** Goes to a tab, and waits until GraphiQL has parsed its operation: it does so a moment later, and then keeps the text. */
async function tab(name: string): Promise<void> {
  await page.getByRole('tab', { name, exact: true }).click()
  await page.waitForFunction((text) => localStorage.getItem('graphiql:query')?.includes(text), ` ${name}`)
}

/** Loads the page again as soon as GraphiQL has kept its tabs, which it does half a second after a change. */
async function reloadAt(name: string): Promise<void> {
  await page.waitForFunction((active) => {
    const { tabs, activeTabIndex } = JSON.parse(localStorage.getItem('graphiql:tabState') ?? '{}')
    return tabs?.[activeTabIndex]?.title === active
  }, name)
  await page.reload()
  await contains(page.locator('.graphiql-query-editor .view-lines'), new RegExp(` ${name}\\b`))
}

const contains = (locator: ReturnType<typeof answer>, text: string | RegExp) =>
  expect.poll(async () => (await locator.textContent())?.replaceAll('\u00a0', ' '), { timeout: 10_000 }).toMatch(text)

describe('GraphiQL in a browser', () => {
  test('asks for a key instead of showing errors', async () => {
    await open()
    await contains(status(), /Enter the key/)
    await execute()
    await contains(answer(), /Enter an API key in the bar above/)
    expect(requests.filter((url) => url === server.url)).toHaveLength(1)
    expect(complaints).toEqual([])
  })

  test('loads the schema when the key is entered, and runs the first example', async () => {
    await open()
    await page.getByRole('button', { name: /Documentation Explorer/ }).click()
    await enter('a-wrong-key-0123456789')
    await contains(status(), /Key not accepted/)
    await enter(KEY)
    await contains(status(), /Connected/)
    await contains(docs(), /mutation: *Mutation/i)

    await execute()
    await contains(answer(), /"template": "new-user-welcome-v2"/)
    await contains(answer(), /"replayed": false/)
    await contains(page.locator('#last-run'), /^Last run run_01jq…abcd$/)
  })

  test('streams a subscription to the last run, and leaves it when stopped', async () => {
    await open(`#key=${encodeURIComponent(KEY)}`)
    await contains(status(), /Connected/)
    await execute()
    await contains(answer(), /"replayed": false/)

    await tab('WatchRun')
    await execute()
    await contains(answer(), /"seq": \d+.*"earlier": \[ *\{ *"seq": \d+/)
    expect(server.watched).toEqual([RUN_ID])

    await page.getByRole('button', { name: /Stop query/ }).click()
    await expect.poll(() => server.left).toEqual([RUN_ID])
  })

  test('takes the key from the address, and out of it', async () => {
    await open(`#key=${encodeURIComponent(KEY)}`)
    await contains(status(), /Connected/)
    expect(page.url()).toBe(server.url)
    await page.reload()
    await contains(status(), /Connected/)
  })

  test('returns to its tabs when loaded again', async () => {
    await open()
    const count = await page.getByRole('tab').count()
    expect(count).toBeGreaterThan(5)
    await reloadAt('SendWelcomeEmail')
    await tab('WatchRun')
    await reloadAt('WatchRun')
    expect(await page.getByRole('tab').count()).toBe(count)
  })

  test('remembers the key beyond the tab only when told to', async () => {
    await open(`#key=${KEY}`)
    await contains(status(), /Connected/)
    expect(await page.evaluate(() => Object.values(localStorage).join())).not.toContain(KEY)
    await page.getByLabel('Remember').check()
    expect(await page.evaluate(() => Object.values(localStorage).join())).toContain(KEY)
    await page.getByLabel('Remember').uncheck()
    expect(await page.evaluate(() => Object.values(localStorage).join())).not.toContain(KEY)
  })

  test('talks to no other origin, and the policy stops nothing that it needs', async () => {
    await open(`#key=${KEY}`)
    await contains(status(), /Connected/)
    await page.getByRole('button', { name: /Documentation Explorer/ }).click()
    await contains(docs(), /mutation: *Mutation/i)
    await page.locator('.graphiql-query-editor').click()
    await page.keyboard.press('Control+Space')
    await page.locator('.suggest-widget').waitFor()
    const { origin } = new URL(server.url)
    expect(requests.filter((url) => !url.startsWith(`${origin}/`) && !/^(data|blob):/.test(url))).toEqual([])
    expect(complaints).toEqual([])
  })
})
