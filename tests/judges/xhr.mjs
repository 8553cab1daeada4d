// As much of XMLHttpRequest as dicomweb-client asks of a browser, over fetch.
export class XMLHttpRequest {
  #method = 'GET';
  #url = '';
  #headers = {};
  #answer = null;
  responseType = '';
  readyState = 0;
  status = 0;
  statusText = '';
  response = null;

  open(method, url) {
    this.#method = method;
    this.#url = url;
  }

  setRequestHeader(name, value) {
    this.#headers[name] = value;
  }

  getResponseHeader(name) {
    return this.#answer?.headers.get(name) ?? null;
  }

  getAllResponseHeaders() {
    return [...(this.#answer?.headers ?? [])].map(([name, value]) => `${name}: ${value}`).join('\r\n');
  }

  abort() {}

  async send(body) {
    try {
      this.#answer = await fetch(this.#url, { method: this.#method, headers: this.#headers, body });
      this.status = this.#answer.status;
      this.statusText = this.#answer.statusText;
      const bytes = await this.#answer.arrayBuffer();
      const text = () => new TextDecoder().decode(bytes);
      this.response =
        this.responseType === 'arraybuffer' ? bytes : this.responseType === 'json' ? JSON.parse(text() || 'null') : text();
      this.readyState = 4;
      this.onreadystatechange?.();
      this.onload?.();
    } catch (error) {
      console.error(error);
      process.exit(1);
    }
    this.onloadend?.();
  }
}
