// A journey: a test with visitors, which fails by itself where anything was wrong behind the pages.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { join } from 'node:path'
import { PATIENCE, screenshots } from './places.js'
import { Visitor } from './visitor.js'

/** `body` gets `arrive`, which opens a browser for one more person; see `Visitor.arrive`. */
export function journey(name, body) {
  test(name, { timeout: 4 * PATIENCE }, async () => {
    const visitors = []
    const arrive = async options => {
      const visitor = await Visitor.arrive(options)
      visitors.push(visitor)
      return visitor
    }
    try {
      await body(arrive)
      assert.deepEqual(visitors.flatMap(visitor => visitor.problems()), [])
    } catch (error) {
      let seen = ''
      for (const [i, visitor] of visitors.entries()) {
        const picture = join(screenshots, `failed.${name.replace(/\W+/g, '-')}.${i}.png`)
        await visitor.page.screenshot({ path: picture }).catch(() => {})
        seen += `\n\n${await visitor.tell()}\n${picture}`
      }
      error.stack += seen
      throw error
    } finally {
      await Promise.all(visitors.map(visitor => visitor.leave()))
    }
  })
}
