// For browsers that do not know JavaScript modules: they are too old for the
// keys as well. Written in what such browsers understand.
document.addEventListener('DOMContentLoaded', function () {
  var old = document.getElementById('old');
  old.textContent = 'De browser op deze telefoon is te oud om te koppelen. Werk je telefoon bij, of kies op het scherm van de kiosk voor sms. / ' +
    'The browser on this phone is too old to pair. Update your phone, or choose SMS on the screen of the kiosk.';
  old.removeAttribute('hidden');
});
