/** What is known of a film, and why a browser cannot play it. */
export interface Film {
  media_type: string;
  container: string;
  codec: string;
  codecs: string;
  transfer_syntax: string;
  size: number;
  frames: number;
  rows: number;
  columns: number;
  frame_ms: number | null;
  url: string;
}

export const SPEEDS = [0.1, 0.25, 0.5, 1, 2] as const;

/** Why it cannot be played, in words; null when the browser says that it may. */
export function refusalOf(film: Film, canPlay: (type: string) => string): string | null {
  if (film.media_type !== 'video/mp4' && !canPlay(film.media_type))
    return `It is packed as ${article(film.container)} (${film.codec}), and browsers play MP4 only.`;
  const type = film.codecs ? `${film.media_type}; codecs="${film.codecs}"` : film.media_type;
  return canPlay(type) ? null : `It is coded as ${film.codec}, which this browser does not decode.`;
}

const article = (words: string): string => `${/^(MP|[aeiou])/i.test(words) ? 'an' : 'a'} ${words}`;
