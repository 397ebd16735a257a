from mmdet_lite.cli.plot_log import main

if __name__ == "__main__":
    raise SystemExit(main())
