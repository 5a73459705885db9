// The page that stops what the helpdesk was asked for. Opening it stops nothing: a
// program that follows the links in mails must not. The code comes in the fragment,
// which is in no request, or is typed. Written for old browsers too, on any machine.
(function () {
  'use strict';
  var root = document.documentElement;
  var at = function (id) { return document.getElementById(id); };

  function speak(language) {
    root.lang = language;
    var buttons = at('languages').children;
    for (var i = 0; i < buttons.length; i++) {
      buttons[i].setAttribute('aria-pressed', String(buttons[i].lang === language));
    }
  }

  var offered = root.getAttribute('data-languages').split(' ');
  for (var i = 0; i < offered.length && offered.length > 1; i++) {
    var button = document.createElement('button');
    button.type = 'button';
    button.lang = offered[i];
    button.textContent = offered[i].toUpperCase();
    button.addEventListener('click', function () { speak(this.lang); });
    at('languages').appendChild(button);
  }
  var own = (navigator.language || '').slice(0, 2).toLowerCase();
  speak(offered.indexOf(own) >= 0 ? own : offered[0]);

  var whys = document.querySelectorAll('[data-why]');
  function say(why) {
    for (var i = 0; i < whys.length; i++) whys[i].hidden = whys[i].getAttribute('data-why') !== why;
    at('code').setAttribute('aria-invalid', String(why === 'malformed' || why === 'unknown'));
    if (why) at('code').focus();
  }

  if (location.hash) {
    at('code').value = decodeURIComponent(location.hash.slice(1)).slice(0, 24);
    if (history.replaceState) history.replaceState(null, '', location.pathname);
  }

  at('form').addEventListener('submit', function (event) {
    event.preventDefault();
    var code = at('code').value.replace(/[^0-9A-Za-z]/g, '');
    if (code.length !== 12) return say('malformed');
    say('');
    at('stop').disabled = true;
    var request = new XMLHttpRequest();
    request.open('POST', '/stop');
    request.timeout = 45000;
    request.setRequestHeader('Content-Type', 'application/json');
    request.onloadend = function () {
      at('stop').disabled = false;
      var answer = {};
      try { answer = JSON.parse(request.responseText); } catch (e) { /* not ours */ }
      if (request.status === 200 && answer.stopped === true) {
        at('ask').hidden = true;
        at('done').hidden = false;
        at('done').querySelector('h1').focus();
        return;
      }
      var known = ['malformed', 'unknown', 'expired', 'too-many'];
      say(known.indexOf(answer.error) >= 0 ? answer.error : 'failed');
    };
    request.send(JSON.stringify({ code: code }));
  });
})();
