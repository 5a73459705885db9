// All words of the page. Every key stands in both languages; {names} are
// filled in. Problems have a title, what happened, and what to do next.

export const texts = {
  nl: {
    language: 'Taal',
    railPair: 'Koppelen', railDigits: 'Cijfers', railDone: 'Klaar',
    back: 'Terug', pair: 'Koppelen', tryAgain: 'Probeer opnieuw',
    haveQR: 'Ik heb een QR-code', typeInstead: 'Koppelcode typen', scanNew: 'Scan een nieuwe code',

    homeEmpty: 'Deze telefoon is nog nergens aan gekoppeld. Scan de QR-code op het scherm van de kiosk.',
    homeAccount: 'Tweede stap bij inloggen',
    since: 'Gekoppeld op {date}',

    askTitle: 'Koppel je telefoon met {portal}',
    askLead: 'Daarna log je in met je wachtwoord en deze telefoon. Een sms-code is niet meer nodig.',
    askCheck: 'Ga alleen verder als je de QR-code zelf hebt gescand, op het scherm waar je nu voor staat.',
    askLabel: 'Deze telefoon komt in de lijst als “{label}”.',

    busyTitle: 'Een ogenblik…',

    digitsTitle: 'Typ deze cijfers op het scherm van de kiosk',
    digitsSpoken: 'De cijfers zijn {digits}',
    timeLeft: 'Tijd over', waiting: 'We wachten op de kiosk',
    keepOpen: 'Houd deze pagina open. Geef de cijfers aan niemand anders.',

    doneTitle: 'Gelukt!',
    doneLead: 'Deze telefoon is nu je tweede stap bij {portal}.',
    doneNext: 'Kijk weer op de kiosk. Je kunt deze pagina sluiten.',
    donePortal: 'Voor', doneOrganisation: 'Bij', doneDevice: 'Telefoon',

    scanTitle: 'Richt je camera op de QR-code',
    scanHint: 'Houd de hele code binnen het kader.',
    scanOther: 'Dit is geen koppelcode. Scan de QR-code op het scherm van de kiosk.',
    scanElsewhere: 'Deze code is van een andere dienst. Scan hem met de camera-app van je telefoon.',

    typeTitle: 'Typ de koppelcode',
    typeLabel: 'Koppelcode',
    typeHint: 'De code staat op het scherm van de kiosk: twaalf letters en cijfers.',
    typeWrong: 'Deze code klopt niet. Kijk of alle twaalf tekens er staan.',
    typeUnknown: 'Deze code kennen we niet. Hij werkt maar kort: kijk of er op de kiosk een nieuwe staat.',
    cameraNone: 'We vinden geen camera. Typ daarom de koppelcode.',
    cameraRefused: 'De camera mag niet worden gebruikt. Sta dat toe in je browser, of typ de koppelcode.',
    cameraTaken: 'De camera doet het nu niet. Sluit andere apps met camera, of typ de koppelcode.',

    help: 'Hulp nodig? {support}',
    helpCode: 'Vraag je hulp? Noem dan deze code: {id}.',

    offline: 'Geen verbinding. We proberen het vanzelf opnieuw.',
    unavailable: 'Even geen antwoord. We proberen het vanzelf opnieuw.',
    busy: 'Het is druk. We proberen het vanzelf opnieuw.',

    problems: {
      expired: ['De tijd is om', 'Een QR-code werkt maar kort. Er is niets gekoppeld.', 'Op de kiosk staat een nieuwe code. Scan die.'],
      unknown: ['Deze code werkt niet meer', 'Een QR-code werkt maar kort en maar één keer. Er is niets gekoppeld.', 'Op de kiosk staat een nieuwe code. Scan die.'],
      'claimed-already': ['Deze code is al gebruikt', 'Een andere telefoon heeft deze code gescand. Voor de zekerheid werkt hij nu voor niemand meer.', 'Vraag op de kiosk een nieuwe code en scan die. Was het geen telefoon van jou? Zeg het dan bij de balie.'],
      'wrong-proof': ['Deze code klopt niet', 'Er is niets gekoppeld.', 'Scan de code die nu op de kiosk staat.'],
      'wrong-digits': ['De cijfers klopten niet', 'Op de kiosk zijn te vaak andere cijfers getypt. Er is niets gekoppeld.', 'Begin op de kiosk opnieuw en scan de nieuwe code.'],
      stopped: ['Het koppelen is gestopt', 'Op de kiosk is het koppelen gestopt. Er is niets gekoppeld.', 'Wil je toch koppelen? Kies op de kiosk weer voor {pocket} en scan de nieuwe code.'],
      failed: ['Het koppelen is niet gelukt', 'Er is niets gekoppeld.', 'Begin op de kiosk opnieuw en scan de nieuwe code.'],
      insecure: ['Deze verbinding is niet veilig', 'Koppelen kan alleen op een adres dat begint met https. Hier kan je telefoon geen sleutel maken.', 'Scan de QR-code op de kiosk opnieuw. Zie je dit nog eens? Kies op de kiosk voor sms.'],
      storage: ['Deze browser bewaart niets', 'Dat komt vaak door een privévenster. Je telefoon kan de sleutel dan niet bewaren.', 'Open de QR-code in een gewoon venster, of in de gewone browser van je telefoon.'],
      internal: ['Er ging iets mis bij ons', 'Jij hebt niets fout gedaan.', 'Probeer het opnieuw. Lukt het niet? Scan dan de code die nu op de kiosk staat.'],
    },
  },

  en: {
    language: 'Language',
    railPair: 'Pair', railDigits: 'Digits', railDone: 'Done',
    back: 'Back', pair: 'Pair', tryAgain: 'Try again',
    haveQR: 'I have a QR code', typeInstead: 'Type a pairing code', scanNew: 'Scan a new code',

    homeEmpty: 'This phone is not paired with anything yet. Scan the QR code on the screen of the kiosk.',
    homeAccount: 'Second step when you log in',
    since: 'Paired on {date}',

    askTitle: 'Pair your phone with {portal}',
    askLead: 'From then on you log in with your password and this phone. You no longer need a text message.',
    askCheck: 'Only go on if you scanned the QR code yourself, on the screen in front of you.',
    askLabel: 'This phone will be listed as “{label}”.',

    busyTitle: 'One moment…',

    digitsTitle: 'Type these digits on the screen of the kiosk',
    digitsSpoken: 'The digits are {digits}',
    timeLeft: 'Time left', waiting: 'Waiting for the kiosk',
    keepOpen: 'Keep this page open. Give the digits to nobody else.',

    doneTitle: 'Done!',
    doneLead: 'This phone is now your second step at {portal}.',
    doneNext: 'Look at the kiosk again. You can close this page.',
    donePortal: 'For', doneOrganisation: 'At', doneDevice: 'Phone',

    scanTitle: 'Point your camera at the QR code',
    scanHint: 'Keep the whole code inside the frame.',
    scanOther: 'This is not a pairing code. Scan the QR code on the screen of the kiosk.',
    scanElsewhere: 'This code belongs to another service. Scan it with your phone’s camera app.',

    typeTitle: 'Type the pairing code',
    typeLabel: 'Pairing code',
    typeHint: 'The code is on the screen of the kiosk: twelve letters and digits.',
    typeWrong: 'This code is not right. Check that all twelve characters are there.',
    typeUnknown: 'We do not know this code. It works for a short time only: see if the kiosk shows a new one.',
    cameraNone: 'We cannot find a camera. Type the pairing code instead.',
    cameraRefused: 'The camera may not be used. Allow it in your browser, or type the pairing code.',
    cameraTaken: 'The camera does not work right now. Close other apps that use it, or type the pairing code.',

    help: 'Need help? {support}',
    helpCode: 'Asking for help? Mention this code: {id}.',

    offline: 'No connection. We keep trying by ourselves.',
    unavailable: 'No answer right now. We keep trying by ourselves.',
    busy: 'It is busy. We keep trying by ourselves.',

    problems: {
      expired: ['Time is up', 'A QR code works for a short time only. Nothing was paired.', 'The kiosk shows a new code. Scan that one.'],
      unknown: ['This code no longer works', 'A QR code works once, and for a short time only. Nothing was paired.', 'The kiosk shows a new code. Scan that one.'],
      'claimed-already': ['This code has been used', 'Another phone scanned this code. To be safe, it now works for nobody.', 'Ask the kiosk for a new code and scan that one. Was it not a phone of yours? Then tell the front desk.'],
      'wrong-proof': ['This code is not right', 'Nothing was paired.', 'Scan the code that the kiosk shows now.'],
      'wrong-digits': ['The digits were wrong', 'Other digits were typed at the kiosk too often. Nothing was paired.', 'Start again at the kiosk and scan the new code.'],
      stopped: ['Pairing was stopped', 'Pairing was stopped at the kiosk. Nothing was paired.', 'Do you still want to pair? Choose {pocket} at the kiosk again and scan the new code.'],
      failed: ['Pairing did not work', 'Nothing was paired.', 'Start again at the kiosk and scan the new code.'],
      insecure: ['This connection is not safe', 'Pairing only works at an address that begins with https. Your phone cannot make a key here.', 'Scan the QR code at the kiosk again. Do you see this once more? Choose SMS at the kiosk.'],
      storage: ['This browser keeps nothing', 'A private window is often the cause. Your phone cannot keep the key then.', 'Open the QR code in a normal window, or in the usual browser of your phone.'],
      internal: ['Something went wrong on our side', 'You did nothing wrong.', 'Try again. Does it not work? Then scan the code that the kiosk shows now.'],
    },
  },
};
