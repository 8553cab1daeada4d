/**
 * A pane as a picture: the image with all that is drawn over it, with or without whose it is; to be kept as a file or
 * printed.
 *
 * Invariants: without patient data no name, number or date is on the picture; what says that data are simulated, and
 * that the picture is not for diagnosis, always is.
 */

const IDENTIFYING = '.identity, .study-date';
const TEXT_STYLE = '12px system-ui, sans-serif';

/** Draw one pane onto a canvas of its own. */
export async function pictureOf(pane: HTMLElement, withPatient: boolean): Promise<HTMLCanvasElement> {
  const box = pane.getBoundingClientRect();
  const scale = Math.max(1, devicePixelRatio);
  const canvas = document.createElement('canvas');
  canvas.width = Math.round(box.width * scale);
  canvas.height = Math.round(box.height * scale);
  const ink = canvas.getContext('2d');
  if (!ink) throw new Error('This browser draws no pictures.');
  ink.scale(scale, scale);
  ink.fillRect(0, 0, box.width, box.height);
  for (const drawn of pane.querySelectorAll<HTMLCanvasElement | HTMLImageElement>(
    'canvas, img.server-picture',
  ))
    drawRaster(ink, drawn, box);
  for (const svg of pane.querySelectorAll<SVGSVGElement>('svg.svg-layer, svg.marks'))
    await drawVector(ink, svg, box);
  for (const text of pane.querySelectorAll<HTMLElement>('.corner, .letters i'))
    drawText(ink, text, box, withPatient);
  return canvas;
}

/** Keep a picture as a file; its name says nothing of the patient. */
export function keepPicture(canvas: HTMLCanvasElement): void {
  canvas.toBlob((blob) => {
    if (!blob) return;
    const link = document.createElement('a');
    link.href = URL.createObjectURL(blob);
    link.download = `sightline-${new Date().toISOString().slice(0, 19).replace(/[:T]/g, '-')}.png`;
    link.click();
    URL.revokeObjectURL(link.href);
  }, 'image/png');
}

/** Print pictures, one below the other; nothing else of the page is printed. */
export function printPictures(canvases: readonly HTMLCanvasElement[]): void {
  const sheet = document.createElement('div');
  sheet.className = 'print-sheet';
  sheet.append(...canvases);
  document.body.append(sheet);
  addEventListener('afterprint', () => sheet.remove(), { once: true });
  print();
}

function drawRaster(
  ink: CanvasRenderingContext2D,
  drawn: HTMLCanvasElement | HTMLImageElement,
  pane: DOMRect,
): void {
  const size = drawn instanceof HTMLCanvasElement ? drawn.width * drawn.height : drawn.naturalWidth;
  if (!size) return;
  ink.save();
  if (drawn.classList.contains('laid-over')) {
    const { a, b, c, d, e, f } = new DOMMatrix(getComputedStyle(drawn).transform);
    ink.transform(a, b, c, d, e, f);
    ink.imageSmoothingEnabled = false;
    ink.drawImage(drawn, 0, 0);
  } else {
    const box = drawn.getBoundingClientRect();
    ink.filter = getComputedStyle(drawn).filter;
    ink.drawImage(drawn, box.left - pane.left, box.top - pane.top, box.width, box.height);
  }
  ink.restore();
}

const DRAWN_STYLES = [
  'stroke',
  'fill',
  'stroke-width',
  'stroke-dasharray',
  'stroke-opacity',
  'paint-order',
  'font-size',
  'font-family',
  'font-weight',
];

async function drawVector(ink: CanvasRenderingContext2D, svg: SVGSVGElement, pane: DOMRect): Promise<void> {
  const copy = svg.cloneNode(true) as SVGSVGElement;
  const from = [...svg.querySelectorAll('*')];
  [...copy.querySelectorAll<SVGElement>('*')].forEach((element, k) => {
    const original = from[k];
    if (!original) return;
    const style = getComputedStyle(original);
    if (style.display === 'none') element.remove();
    for (const name of DRAWN_STYLES) element.style.setProperty(name, style.getPropertyValue(name));
  });
  const box = svg.getBoundingClientRect();
  copy.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
  copy.setAttribute('width', String(box.width));
  copy.setAttribute('height', String(box.height));
  const image = new Image();
  image.src = `data:image/svg+xml,${encodeURIComponent(new XMLSerializer().serializeToString(copy))}`;
  await image.decode();
  ink.drawImage(image, box.left - pane.left, box.top - pane.top, box.width, box.height);
}

/** Write the words of a corner where they stand, line by line. */
function drawText(
  ink: CanvasRenderingContext2D,
  element: HTMLElement,
  pane: DOMRect,
  withPatient: boolean,
): void {
  const style = getComputedStyle(element);
  if (style.visibility === 'hidden') return;
  ink.font = TEXT_STYLE;
  ink.textBaseline = 'top';
  ink.textAlign = style.textAlign === 'right' ? 'right' : 'left';
  const hidden = withPatient ? [] : [...element.querySelectorAll<HTMLElement>(IDENTIFYING)];
  for (const line of [...element.children].length ? [...element.children] : [element]) {
    if (!(line instanceof HTMLElement) || hidden.includes(line) || !line.textContent.trim()) continue;
    const box = line.getBoundingClientRect();
    ink.fillStyle = getComputedStyle(line).color;
    const x = (ink.textAlign === 'right' ? box.right : box.left) - pane.left;
    ink.strokeStyle = 'rgb(0 0 0 / 85%)'; // words stand over white images too
    ink.lineWidth = 3;
    ink.lineJoin = 'round';
    ink.strokeText(line.textContent.replace(/\s+/g, ' '), x, box.top - pane.top + 2);
    ink.fillText(line.textContent.replace(/\s+/g, ' '), x, box.top - pane.top + 2);
  }
}
