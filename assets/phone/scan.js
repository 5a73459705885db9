// The scanner: the phone's camera and the jsQR decoder (loaded when needed).

/** Why the camera cannot be used: 'none', 'refused' or 'taken'. */
export class NoCamera extends Error {
  constructor(why) {
    super(why);
    this.why = why;
  }
}

async function openCamera() {
  if (!navigator.mediaDevices || !navigator.mediaDevices.getUserMedia) throw new NoCamera('none');
  try {
    const size = { width: { ideal: 1280 }, height: { ideal: 720 } };
    return await navigator.mediaDevices.getUserMedia({ audio: false, video: { facingMode: 'environment', ...size } });
  } catch (e) {
    if (e.name === 'NotAllowedError') throw new NoCamera('refused');
    throw new NoCamera(e.name === 'NotFoundError' || e.name === 'OverconstrainedError' ? 'none' : 'taken');
  }
}

// The decoder comes first: a camera that is on waits for nothing.
async function decoder() {
  try {
    await import('./jsqr-1.4.0.js');
  } catch {
    throw new NoCamera('taken');
  }
}

/**
 * Shows the camera in a video element and calls found(text) for each QR code
 * seen, until found returns true or the signal says stop. The camera is off
 * afterwards.
 */
export async function scan(video, signal, found) {
  const camera = await decoder().then(openCamera);
  const off = () => {
    camera.getTracks().forEach((t) => t.stop());
    video.srcObject = null;
  };
  if (signal.aborted) return off();
  video.srcObject = camera;
  try {
    await video.play().catch(() => { throw new NoCamera('taken'); });
    const canvas = document.createElement('canvas');
    const context = canvas.getContext('2d', { willReadFrequently: true });
    while (!signal.aborted) {
      const text = look(video, canvas, context);
      if (text && found(text)) return;
      // A breath between two looks keeps an old phone cool and its screen alive.
      await new Promise((next) => setTimeout(next, 80));
    }
  } finally {
    off();
  }
}

// look decodes the middle square of the picture, at most 600 pixels wide: that
// is enough for a code held in the frame, and quick on an old phone.
function look(video, canvas, context) {
  const side = Math.min(video.videoWidth, video.videoHeight);
  if (!side) return '';
  const size = Math.min(side, 600);
  canvas.width = canvas.height = size;
  context.drawImage(video, (video.videoWidth - side) / 2, (video.videoHeight - side) / 2, side, side, 0, 0, size, size);
  const picture = context.getImageData(0, 0, size, size);
  const code = self.jsQR(picture.data, size, size, { inversionAttempts: 'dontInvert' });
  return code ? code.data : '';
}
