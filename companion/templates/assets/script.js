// Everything here is a comfort: each page does its work without it.
(() => {
'use strict'
// What a form was answered with stands under its own address: a reload or the back button asks for that page anew,
// and sends nothing a second time.
history.replaceState(history.state, '', location.href)
const all = (what, where = document) => [...where.querySelectorAll(what)]
const byId = id => document.getElementById(id)

// Reveal: the button shows itself, since without a script it could do nothing.
for (const button of all('.reveal')) {
  const field = byId(button.getAttribute('aria-controls'))
  const show = shown => {
    field.type = shown ? 'text' : 'password'
    button.textContent = shown ? button.dataset.hide : button.dataset.show
    button.setAttribute('aria-label', shown ? button.dataset.labelHide : button.dataset.labelShow)
  }
  button.hidden = false
  button.onclick = () => { show(field.type === 'password'); field.focus() }
  // A revealed field would be offered by the browser's form history.
  field.form.addEventListener('submit', () => show(false))
}

// One submit each: the second click of a double click goes nowhere. Coming back makes the form usable again.
const busy = (form, on) => {
  form.dataset.sent = on ? '1' : ''
  for (const button of all('button:not([type])', form)) {
    if (on) button.setAttribute('aria-disabled', 'true')
    else button.removeAttribute('aria-disabled')
  }
}
document.addEventListener('submit', event => {
  if (event.target.dataset.sent) event.preventDefault()
  else {
    busy(event.target, true)
    // A stopped or failed navigation must not leave a dead form behind.
    setTimeout(busy, 1e4, event.target, false)
  }
})
addEventListener('pageshow', () => all('form').forEach(form => busy(form, false)))

// Exact times, in the visitor's own time zone, written as the page and the messages write them.
for (const at of all('time.exact')) {
  at.textContent = new Date(at.dateTime).toLocaleString('en-GB', { dateStyle: 'long', timeStyle: 'short' })
}

// What the server found wrong was wrong with what was sent.
for (const field of all('[aria-invalid]')) field.addEventListener('input', () => field.removeAttribute('aria-invalid'), { once: true })

// The code: digits only, however it was pasted; on phones that can, straight from the text message.
const code = byId('code')
if (code) {
  code.addEventListener('input', () => {
    const digits = code.value.normalize('NFKC').replace(/[\s\u00ad\u200b-\u200f\u2060-\u2069.\-\u2010-\u2015]/g, '')
    if (digits !== code.value) code.value = digits
  })
  if ('otp' in code.dataset && 'OTPCredential' in window) {
    const stop = new AbortController()
    code.form.addEventListener('submit', () => stop.abort())
    navigator.credentials.get({ otp: { transport: ['sms'] }, signal: stop.signal })
      .then(message => { code.value = message.code }, () => {})
  }
}

// The server said how long; the clock only ticks. It is measured against the time of day, since tabs sleep.
for (const form of all('[data-wait]')) {
  const clock = form.querySelector('.clock'), text = clock.querySelector('span')
  const button = form.querySelector('button'), news = form.querySelector('[aria-live]')
  const end = Date.now() + form.dataset.wait * 1000
  clock.setAttribute('aria-hidden', 'true')
  news.textContent = text.textContent
  button.hidden = true
  const tick = () => {
    const left = Math.ceil((end - Date.now()) / 1000)
    if (left > 0) {
      text.textContent = form.dataset.clock.replace('%', Math.floor(left / 60) + ':' + String(left % 60).padStart(2, '0'))
      setTimeout(tick, (end - Date.now()) % 1000 || 1000)
    } else {
      clock.hidden = true
      button.hidden = false
      news.textContent = form.dataset.ready
    }
  }
  tick()
}

// A first idea of strength, made here: nothing is sent while typing, and the server judges when it is saved.
for (const meter of all('[data-meter]')) {
  const field = byId(meter.dataset.meter), words = meter.dataset.words.split('|'), word = meter.querySelector('b'), out = meter.querySelector('output')
  const bars = all('i', meter), min = +meter.dataset.min
  const rules = all('[data-min],[data-max]', byId('rules'))
  let later
  field.addEventListener('input', () => {
    const text = [...field.value]
    for (const rule of rules) {
      const kept = text.length && (rule.dataset.min ? text.length >= rule.dataset.min : text.length <= rule.dataset.max)
      rule.className = kept ? 'ok' : ''
      rule.firstChild.textContent = kept ? rule.parentNode.dataset.met : rule.parentNode.dataset.unmet
    }
    // What the server found wrong was wrong with another password.
    for (const rule of all('.bad:not([data-min]):not([data-max])', byId('rules'))) {
      rule.className = ''
      rule.firstChild.textContent = ''
      rule.lastChild.textContent = rule.lastChild.textContent.split(':')[0]
    }
    // Runs such as aaa and abc count once, and a few letters over and over count as few.
    const turns = text.filter((c, i) => !i || Math.abs(c.codePointAt() - text[i - 1].codePointAt()) > 1).length
    const kinds = [/[a-z]/, /[A-Z]/, /\d/, /[^a-zA-Z\d]/].filter(kind => kind.test(field.value)).length
    const bits = Math.min(turns, new Set(text).size * 2) * (3 + kinds / 2)
    const level = text.length < min ? 0 : bits < 36 ? 1 : bits < 48 ? 2 : bits < 66 ? 3 : 4
    meter.hidden = !text.length
    meter.dataset.level = level
    bars.forEach((bar, i) => { bar.className = i < Math.max(level, 1) ? 'on' : '' })
    word.textContent = words[level]
    // Heard when the typing pauses, not with each key.
    clearTimeout(later)
    later = setTimeout(() => { out.value = words[level] }, out.value ? 400 : 0)
  })
}

// The development inbox asks for news and keeps open what was opened.
const inbox = document.querySelector('[data-inbox]')
if (inbox) setInterval(async () => {
  if (document.hidden) return
  try {
    const page = new DOMParser().parseFromString(await (await fetch(location.href)).text(), 'text/html')
    const fresh = page.querySelector('[data-inbox]')
    const times = list => all('time', list).length
    if (times(fresh) !== times(inbox)) {
      const open = all('details', inbox).reverse().map(one => one.open)
      all('details', fresh).reverse().forEach((one, i) => { one.open = !!open[i] })
      inbox.replaceChildren(...fresh.childNodes)
    }
  } catch { }
}, 2000)
})()
