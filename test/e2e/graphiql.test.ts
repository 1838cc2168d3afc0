import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { onboardingActions } from '../../examples/onboarding/actions.ts'
import { startServices } from '../../examples/onboarding/services.ts'
import { migrate } from '../../examples/onboarding/tables.ts'
import { LAUNCH_TIMEOUT_MS, launchChromium } from '../support/chromium.ts'
import { API_KEY, startTestServer } from '../support/server.ts'

let browser: Browser

beforeAll(async () => {
  browser = await launchChromium()
}, LAUNCH_TIMEOUT_MS)
afterAll(() => browser?.close())

test('GraphiQL executes an action of the example, and watches the run to its end', { timeout: 60_000 }, async () => {
  const services = await startServices()
  const server = await startTestServer(onboardingActions(services), { migrate })
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } })
  await page.goto(`${server.url}#key=${encodeURIComponent(API_KEY)}`)
  await answers(page, '#key-status', /Connected/)
  await execute(page)
  await answers(page, '.graphiql-response .view-lines', /"status": "SUCCEEDED"/)
  await page.getByRole('tab', { name: 'WatchRun', exact: true }).click()
  await page.waitForFunction(() => localStorage.getItem('graphiql:query')?.includes('subscription WatchRun('))
  await execute(page)
  await answers(page, '.graphiql-response .view-lines', /"to": "SUCCEEDED",\s*"reason": "COMPLETED"/)
  if (process.env.SCREENSHOTS) await page.screenshot({ path: `${process.env.SCREENSHOTS}/graphiql.png` })
  await page.close()
  await server.stop()
  await services.stop()
})

async function execute(page: Page): Promise<void> {
  await page.getByRole('button', { name: /Execute query/ }).click()
}

async function answers(page: Page, selector: string, text: RegExp): Promise<void> {
  const shown = async () => (await page.locator(selector).textContent())?.replaceAll('\u00a0', ' ')
  await expect.poll(shown, { timeout: 15_000 }).toMatch(text)
}
